/** What the guardrails say of one action, and why, in a sentence for the person and for the model. */
export type Verdict =
  | { readonly kind: 'allow'; readonly reason: string }
  /** Only after a person has confirmed this very action; `isProtected`: no flag, setting or rule answers it. */
  | { readonly kind: 'ask'; readonly reason: string; readonly isProtected?: true }
  /** Refused without asking. */
  | { readonly kind: 'deny'; readonly reason: string };

const RANK = { allow: 0, ask: 1, deny: 2 } as const;

export const allow = (reason: string): Verdict => ({ kind: 'allow', reason });
export const ask = (reason: string): Verdict => ({ kind: 'ask', reason });
export const askProtected = (reason: string): Verdict => ({ kind: 'ask', reason, isProtected: true });
export const deny = (reason: string): Verdict => ({ kind: 'deny', reason });

/** Above 0 where the first is the stricter one; a protected request is stricter than any other. */
export function compareStrictness(one: Verdict, other: Verdict): number {
  const rank = (verdict: Verdict): number =>
    RANK[verdict.kind] + (verdict.kind === 'ask' && verdict.isProtected ? 0.5 : 0);
  return rank(one) - rank(other);
}

/** The strictest of several; of equals the first. */
export function strictest(first: Verdict, ...others: readonly Verdict[]): Verdict {
  return others.reduce((worst, verdict) => (compareStrictness(verdict, worst) > 0 ? verdict : worst), first);
}
