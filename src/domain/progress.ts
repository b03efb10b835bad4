/** Whether a conversation gets anywhere, told from its answers alone, so that a restart and a replay see the same. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { ToolCall } from './conversation.ts';

/** The same answer so often in a row: the agent is told. */
export const NUDGE_AFTER = 3;
/** The agent is stuck. */
export const STUCK_AFTER = 6;
/** Answers without a tool call in a row; it is told after each but the last. */
export const STUCK_AFTER_PROSE = 3;

/** What an answer does; equal for two answers that ask for the same calls. '' for one that calls nothing. */
export function fingerprintOf(toolCalls: DeepReadonly<ToolCall[]>): string {
  return toolCalls.length === 0
    ? ''
    : JSON.stringify(toolCalls.map(({ name, argumentsText }) => [name, argumentsText]));
}

/** How often the newest answer came in a row; 0 where there is none. `fingerprints` are of all answers, oldest first. */
export function repeatsOf(fingerprints: readonly string[]): number {
  const newest = fingerprints.at(-1);
  const other = fingerprints.findLastIndex((fingerprint) => fingerprint !== newest);
  return fingerprints.length - 1 - other;
}

/** Why a conversation is stuck, or undefined. */
export function whyStuck(fingerprints: readonly string[]): string | undefined {
  const repeats = repeatsOf(fingerprints);
  if (fingerprints.at(-1) === '') {
    return repeats >= STUCK_AFTER_PROSE
      ? `The model answered ${STUCK_AFTER_PROSE} times without calling a tool.`
      : undefined;
  }
  return repeats >= STUCK_AFTER ? `The model made the same call ${STUCK_AFTER} times in a row.` : undefined;
}
