/** Work that was told to end, and is not waited for without limit. */
import type { Clock } from '../ports.ts';

/** How long work that was told to end is waited for. */
const PATIENCE_MS = 5_000;

/** Settles like `work`; once the signal is aborted it resolves after some seconds even if `work` does not listen. */
export async function settledSoon(work: Promise<void>, signal: AbortSignal, clock: Clock): Promise<void> {
  const over = new AbortController();
  const tooLong = async (): Promise<void> => {
    await aborted(signal, over.signal);
    await clock.sleep(PATIENCE_MS, over.signal);
  };
  try {
    // What is left to itself may still reject; nobody is there to hear it.
    work.catch(() => undefined);
    await Promise.race([work, tooLong()]);
  } finally {
    over.abort(new Error('Nobody waits any more.'));
  }
}

/** Resolves when `signal` is aborted; rejects when `over` is first. */
function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true, signal: over },
    );
    over.addEventListener(
      'abort',
      () => {
        reject(over.reason as Error);
      },
      { once: true },
    );
  });
}
