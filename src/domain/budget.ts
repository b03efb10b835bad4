/** What a run may spend and what it has spent. Reserved before a call, settled after it; both by events. */
import * as z from 'zod';

/** Hard limits of a run; an absent one is not limited. */
export const budgetLimitsSchema = z.strictObject({
  tokens: z.number().int().positive().optional(),
  requests: z.number().int().positive().optional(),
  wallTimeMs: z.number().int().positive().optional(),
});
export type BudgetLimits = z.infer<typeof budgetLimitsSchema>;

/** Where a usage figure comes from: the provider said so, we counted, or a crash lost the answer and we assume the worst. */
export const usageSchema = z.object({
  inputTokens: z.number().int().min(0),
  outputTokens: z.number().int().min(0),
  source: z.enum(['provider', 'counted', 'assumed']),
});
export type Usage = z.infer<typeof usageSchema>;

export interface BudgetAccount {
  usedTokens: number;
  reservedTokens: number;
  requests: number;
  /** Time in which the run was at work in some process; waiting between processes does not count. */
  workedMs: number;
}

export const emptyAccount = (): BudgetAccount => ({ usedTokens: 0, reservedTokens: 0, requests: 0, workedMs: 0 });

export type BudgetResource = 'tokens' | 'requests' | 'wallTimeMs';

export interface BudgetRefusal {
  resource: BudgetResource;
  limit: number;
  used: number;
  needed: number;
}

/** Whether one more call fits that may cost up to `tokens`; undefined when it does. */
export function refuseCall(limits: BudgetLimits, account: BudgetAccount, tokens: number): BudgetRefusal | undefined {
  const committed = account.usedTokens + account.reservedTokens;
  if (limits.tokens !== undefined && committed + tokens > limits.tokens) {
    return { resource: 'tokens', limit: limits.tokens, used: committed, needed: tokens };
  }
  if (limits.requests !== undefined && account.requests + 1 > limits.requests) {
    return { resource: 'requests', limit: limits.requests, used: account.requests, needed: 1 };
  }
  if (limits.wallTimeMs !== undefined && account.workedMs >= limits.wallTimeMs) {
    return { resource: 'wallTimeMs', limit: limits.wallTimeMs, used: account.workedMs, needed: 0 };
  }
  return undefined;
}

export function describeRefusal(refusal: BudgetRefusal): string {
  switch (refusal.resource) {
    case 'tokens':
      return `The budget is reached: ${refusal.used} of ${refusal.limit} tokens are spent or reserved, and the next call may need ${refusal.needed}. No call starts; all work is kept.`;
    case 'requests':
      return `The budget is reached: ${refusal.used} of ${refusal.limit} requests are made. No call starts; all work is kept.`;
    case 'wallTimeMs':
      return `The budget is reached: ${Math.round(refusal.used / 60_000)} of ${Math.round(refusal.limit / 60_000)} minutes are over. No call starts; all work is kept.`;
  }
}
