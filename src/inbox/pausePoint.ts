/** Where work stands still while a person has paused its run: right before a call or its effect begins, never in one. */
import type { Ledger } from '../ports.ts';
import { untilState } from './untilState.ts';

/** Resolves at once unless the run is paused, then when it goes on. Rejects with the signal's reason. */
export async function pausePoint(ledger: Ledger, runId: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const isGoingOn = (): boolean => !ledger.state.runs[runId]?.paused;
  // Paused again in the same turn, it stands still for longer.
  while (!isGoingOn()) {
    await untilState(ledger, isGoingOn, signal);
  }
}
