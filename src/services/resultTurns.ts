/**
 * Whatever is done with results takes turns over the whole squad: two runs may change the same files, and a folder must
 * not be deleted while it is read. A person's second action on the same run is refused instead of queued.
 */
import { HumanError, LedgerClosedError, messageOf, StoppedError } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';

/** How long the end of the squad waits for what is under way; what is cut off then is finished at the next opening. */
const PATIENCE_MS = 3000;

export class ResultTurns {
  private readonly clock: Clock;
  private readonly busy = new Set<string>();
  private readonly closing = new AbortController();
  private last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A person's action. Whatever goes wrong in it comes out as a HumanError. */
  async act(runId: string, action: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.busy.has(runId)) {
      throw new HumanError(
        `Something else is being done with the result of ${runId} right now. Nothing was changed by this click; try again in a moment.`,
      );
    }
    this.busy.add(runId);
    try {
      await this.take(work);
    } catch (error) {
      throw explain(error, action);
    } finally {
      this.busy.delete(runId);
    }
  }

  /** Something of the squad's own, when all that was asked for before is over. */
  take<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.closing;
    const begin = (): Promise<T> => {
      signal.throwIfAborted();
      return work(signal);
    };
    const turn = this.last.then(begin, begin);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** Lets what is under way end, for a while, and begins nothing more. Never rejects. */
  async close(): Promise<void> {
    const over = new AbortController();
    const patience = this.clock.sleep(PATIENCE_MS, over.signal).catch(() => undefined);
    await Promise.race([this.last, patience]);
    over.abort(new StoppedError('Nothing is waited for any more.'));
    this.closing.abort(new StoppedError('The host is closing.'));
    await this.last;
  }
}

function explain(error: unknown, action: string): HumanError {
  if (error instanceof StoppedError || error instanceof LedgerClosedError) {
    return new HumanError(
      `${action} was cut off: ${messageOf(error)} Nothing is lost; it is finished, or explained, when the squad opens again.`,
      { cause: error },
    );
  }
  return error instanceof HumanError
    ? error
    : new HumanError(`${action} did not work: ${messageOf(error)} Nothing is lost; mend the cause and try again.`, {
        cause: error,
      });
}
