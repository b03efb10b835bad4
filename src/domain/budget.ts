/**
 * What may be spent and what was. Reserved before a call, settled after it; both by events. The same limits and the same
 * account stand for a run, a role in it, an agent in it and a day; `envelopes.ts` says which of them a call draws on.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { formatUsd, MICRO } from './prices.ts';

/** Hard limits; an absent one is not limited. */
export const budgetLimitsSchema = z.strictObject({
  tokens: z.number().int().positive().optional(),
  /** Dollars. */
  usd: z.number().positive().max(1_000_000_000).optional(),
  requests: z.number().int().positive().optional(),
  wallTimeMs: z.number().int().positive().optional(),
  /** Time in which tools were at work, side by side or not. */
  toolTimeMs: z.number().int().positive().optional(),
});
export type BudgetLimits = z.infer<typeof budgetLimitsSchema>;

export const budgetResourceSchema = budgetLimitsSchema.keyof();
export type BudgetResource = z.infer<typeof budgetResourceSchema>;

/** Where a usage figure comes from: the provider said so, we counted, or a crash lost the answer and we assume the worst. */
export const usageSchema = z.object({
  inputTokens: z.number().int().min(0),
  outputTokens: z.number().int().min(0),
  source: z.enum(['provider', 'counted', 'assumed']),
  /** Absent where nobody knows the model's price. */
  microUsd: z.number().int().min(0).optional(),
});
export type Usage = z.infer<typeof usageSchema>;

/** What one call may come to at most. */
export const callCostSchema = z.object({
  model: z.string(),
  inputTokens: z.number().int().min(0),
  outputTokens: z.number().int().min(0),
  /** Absent where nobody knows the model's price. */
  microUsd: z.number().int().min(0).optional(),
});
export type CallCost = z.infer<typeof callCostSchema>;

export interface BudgetAccount {
  usedTokens: number;
  reservedTokens: number;
  /** Millionths of a dollar. */
  usedMicroUsd: number;
  reservedMicroUsd: number;
  /** Used tokens of models whose price nobody knows; they stand in no sum of money. */
  unpricedTokens: number;
  requests: number;
  /** Time in which the run was at work in some process; waiting between processes does not count. */
  workedMs: number;
  toolTimeMs: number;
}

export const emptyAccount = (): BudgetAccount => ({
  usedTokens: 0,
  reservedTokens: 0,
  usedMicroUsd: 0,
  reservedMicroUsd: 0,
  unpricedTokens: 0,
  requests: 0,
  workedMs: 0,
  toolTimeMs: 0,
});

export interface BudgetRefusal {
  resource: BudgetResource;
  /** Money in micro-dollars, as in the account. */
  limit: number;
  used: number;
  /** What calls under way may still give back. */
  reserved: number;
  needed: number;
  /** Its price must be known, for money is limited. */
  unpricedModel?: string;
}

/** A limit as the account counts it. */
export function limitOf(limits: DeepReadonly<BudgetLimits>, resource: BudgetResource): number | undefined {
  const limit = limits[resource];
  return limit !== undefined && resource === 'usd' ? Math.round(limit * MICRO) : limit;
}

/** What is used of a resource, settled calls only. */
export function usedOf(account: DeepReadonly<BudgetAccount>, resource: BudgetResource): number {
  switch (resource) {
    case 'tokens':
      return account.usedTokens;
    case 'usd':
      return account.usedMicroUsd;
    case 'requests':
      return account.requests;
    case 'wallTimeMs':
      return account.workedMs;
    case 'toolTimeMs':
      return account.toolTimeMs;
  }
}

/** Whether one more call fits that may come to `cost`; undefined when it does. */
export function refuseCall(
  limits: DeepReadonly<BudgetLimits>,
  account: DeepReadonly<BudgetAccount>,
  cost: CallCost,
): BudgetRefusal | undefined {
  for (const resource of budgetResourceSchema.options) {
    const limit = limitOf(limits, resource);
    if (limit === undefined) {
      continue;
    }
    const used = usedOf(account, resource);
    const [reserved, needed] = drawnOn(resource, account, cost);
    const isUnpriced = resource === 'usd' && cost.microUsd === undefined;
    // Time has no reservation: no call begins once it is over.
    const isOver = needed === 0 && resource.endsWith('Ms') ? used >= limit : used + reserved + needed > limit;
    if (isOver || isUnpriced) {
      return { resource, limit, used, reserved, needed, ...(isUnpriced ? { unpricedModel: cost.model } : {}) };
    }
  }
  return undefined;
}

function drawnOn(
  resource: BudgetResource,
  { reservedTokens, reservedMicroUsd }: DeepReadonly<BudgetAccount>,
  { inputTokens, outputTokens, microUsd = 0 }: CallCost,
): [reserved: number, needed: number] {
  switch (resource) {
    case 'tokens':
      return [reservedTokens, inputTokens + outputTokens];
    case 'usd':
      return [reservedMicroUsd, microUsd];
    case 'requests':
      return [0, 1];
    case 'wallTimeMs':
    case 'toolTimeMs':
      return [0, 0];
  }
}

/** Whether the call would fit once all that is under way is settled, should that cost nothing. */
export function mayFitLater({ used, needed, limit, reserved, unpricedModel }: BudgetRefusal): boolean {
  return unpricedModel === undefined && reserved > 0 && used + needed <= limit;
}

/** The limit to ask a person for: half as much again, and room for the call that stands still and another like it; in round numbers. */
export function raisedLimit({ limit, used, reserved, needed }: BudgetRefusal, resource: BudgetResource): number {
  const wanted = Math.max(limit * 1.5, used + reserved + 2 * needed);
  const unit = resource.endsWith('Ms') ? 60_000 : 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  return Math.ceil(wanted / unit) * unit;
}

/** `12,345 tokens`, `$0.50`, `3 minutes`. */
export function describeAmount(resource: BudgetResource, amount: number): string {
  switch (resource) {
    case 'tokens':
      return `${amount.toLocaleString('en')} tokens`;
    case 'usd':
      return formatUsd(amount);
    case 'requests':
      return `${amount.toLocaleString('en')} ${amount === 1 ? 'request' : 'requests'}`;
    case 'wallTimeMs':
      return `${minutes(amount)} at work`;
    case 'toolTimeMs':
      return `${minutes(amount)} of tools`;
  }
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`;
}

/** `of`: whose budget it is, as `the run’s`. */
export function describeRefusal(refusal: BudgetRefusal, of = 'the run’s'): string {
  const { resource, limit, used, reserved, needed, unpricedModel } = refusal;
  const budget = of === 'the run’s' ? 'The budget' : `${of.charAt(0).toUpperCase()}${of.slice(1)} budget`;
  const kept = 'No call starts; all work is kept.';
  if (unpricedModel !== undefined) {
    return `${budget} is limited to ${formatUsd(limit)}, and nobody knows what ${unpricedModel} costs. ${kept} ${HOW_TO_PRICE}`;
  }
  const part = describeAmount(resource, limit);
  const spent = used + reserved;
  switch (resource) {
    case 'tokens':
      return `${budget} is reached: ${spent} of ${limit} tokens are spent or reserved, and the next call may need ${needed}. ${kept}`;
    case 'usd':
      return `${budget} is reached: ${formatUsd(spent)} of ${part} are spent or reserved, and the next call may cost ${formatUsd(needed)}. ${kept}`;
    case 'requests':
      return `${budget} is reached: ${used} of ${limit} requests are made. ${kept}`;
    case 'wallTimeMs':
    case 'toolTimeMs':
      return `${budget} is reached: ${describeAmount(resource, used)}, and ${part} are the limit. ${kept}`;
  }
}

export const HOW_TO_PRICE =
  'Say its price in the setting devsquad.prices or in ~/.devsquad/prices.json, as {"openai/NAME": {"input": 2, "output": 8}} in dollars for a million tokens, or leave the limit in dollars out.';

/** What an account came to in money, for people; '' where nothing was used. */
export function describeCost({ usedMicroUsd, usedTokens, unpricedTokens }: DeepReadonly<BudgetAccount>): string {
  if (usedTokens === 0) {
    return '';
  }
  if (unpricedTokens === 0) {
    return formatUsd(usedMicroUsd);
  }
  return usedMicroUsd === 0
    ? 'price unknown'
    : `${formatUsd(usedMicroUsd)} and ${unpricedTokens.toLocaleString('en')} tokens of unknown price`;
}
