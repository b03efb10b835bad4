/** Where work stands still while a person has paused its run: right before a call or its effect begins, never in one. */
import type { Ledger } from '../ports.ts';

/** Resolves at once unless the run is paused, then when it goes on. Rejects with the signal's reason. */
export async function pausePoint(ledger: Ledger, runId: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!ledger.state.runs[runId]?.paused) {
    return;
  }
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      listening.dispose();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const listening = ledger.onDidAppend((event) => {
      if (event.type === 'run-resumed' && event.runId === runId) {
        finish();
      }
    });
    signal.addEventListener('abort', finish);
  });
  await pausePoint(ledger, runId, signal);
}
