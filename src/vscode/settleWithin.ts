import { systemClock } from '../host/clock.ts';

/**
 * Settles like `work`, or rejects when that takes longer than `ms` or the signal is aborted first. For questions to VS Code
 * that other extensions answer: they may never do it.
 */
export async function settleWithin<T>(ms: number, work: Thenable<T>, signal?: AbortSignal): Promise<T> {
  const over = new AbortController();
  const tooLate = async (): Promise<never> => {
    await systemClock.sleep(ms, signal ? AbortSignal.any([signal, over.signal]) : over.signal);
    throw new Error(`Nothing came for ${ms / 1000} s`);
  };
  try {
    return await Promise.race([work, tooLate()]);
  } finally {
    over.abort();
  }
}
