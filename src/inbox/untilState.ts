/** How work waits for what somebody else decides: for an event after which the living state is as it must be. */
import type { Ledger } from '../ports.ts';

/** Resolves in the turn in which `isSo` holds, at once when it does already. Rejects with the signal's reason. */
export function untilState(ledger: Ledger, isSo: () => boolean, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (!signal.aborted && !isSo()) {
        return;
      }
      listening.dispose();
      signal.removeEventListener('abort', look);
      if (signal.aborted) {
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      } else {
        resolve();
      }
    };
    const listening = ledger.onDidAppend(look);
    signal.addEventListener('abort', look);
    look();
  });
}
