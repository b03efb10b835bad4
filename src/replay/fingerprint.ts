/**
 * What a run decided, as one hash: the consequences of each task in their own order, tasks by key, then the run's own.
 * Left out is what the world, the clock or the place in the ledger brought in.
 */
import { createHash } from 'node:crypto';
import type { SquadEvent } from '../domain/events.ts';

/** Stamps, and facts of the world that stand in a consequence for people to read. */
const LEFT_OUT = new Set([
  'version',
  'sequence',
  'epoch',
  'at',
  'causedBy',
  'input',
  'files',
  'reservedTokens',
  'leftOut',
  'reservedOutputTokens',
  'reservedMicroUsd',
  'cost',
  'usd',
  'unpricedTokens',
  'model',
]);
/** Durations and points in time. */
const TIME = /(?:Ms|At)$/;

export class Fingerprint {
  private readonly strands = new Map<string, string[]>();

  add(strand: string, decision: string): void {
    const decisions = this.strands.get(strand) ?? [];
    decisions.push(decision);
    this.strands.set(strand, decisions);
  }

  hash(): string {
    const sorted = [...this.strands].sort(([a], [b]) => (a < b ? -1 : 1));
    return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
  }
}

/** A consequence as canonical JSON, keys in order, without what is left out. */
export function decisionOf(event: SquadEvent): string {
  return JSON.stringify(event, (key, value: unknown) => {
    if (LEFT_OUT.has(key) || TIME.test(key)) {
      return undefined;
    }
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
}
