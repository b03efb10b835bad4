/**
 * The limits of one model call: how long it may be silent and how long it may take in all. One signal carries every
 * reason to end it (the caller's own, or a ModelError), so that whoever works on the call needs to look at one thing.
 */
import { ModelError } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';

export interface CallLimits {
  /** Silence allowed before the first piece of the answer: a model may have to be loaded, or to think. */
  readonly firstChunkMs: number;
  /** Silence allowed between two pieces. */
  readonly idleMs: number;
  /** The whole call. */
  readonly deadlineMs: number;
}

export const DEFAULT_CALL_LIMITS: CallLimits = { firstChunkMs: 300_000, idleMs: 60_000, deadlineMs: 900_000 };

export class CallWatch {
  private readonly controller = new AbortController();
  private readonly clock: Pick<Clock, 'now' | 'sleep'>;
  private readonly limits: CallLimits;
  private readonly callerSignal: AbortSignal;
  private startedAt: number;
  private lastSignAt: number;
  private hasBegun = false;

  /** The caller's signal must not be aborted yet. */
  constructor(clock: Pick<Clock, 'now' | 'sleep'>, limits: CallLimits, callerSignal: AbortSignal) {
    this.clock = clock;
    this.limits = limits;
    this.callerSignal = callerSignal;
    this.startedAt = this.lastSignAt = clock.now();
    callerSignal.addEventListener('abort', this.forwardAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** A piece of the answer came. */
  noteChunk(): void {
    this.hasBegun = true;
    this.lastSignAt = this.clock.now();
  }

  /**
   * Settles like `work`, or rejects with the reason as soon as the call must end; `work` then goes on unheard until it
   * notices the signal. Ends the call in every case, so it is used once.
   */
  async guard<T>(work: Promise<T>): Promise<T> {
    const aborted = new Promise<never>((_resolve, reject) => {
      this.signal.addEventListener('abort', () => {
        // An AbortSignal's reason may be anything; here it is the caller's or one of our errors.
        reject(this.signal.reason as Error);
      });
    });
    try {
      const result = await Promise.race([work, aborted, this.watch()]);
      this.signal.throwIfAborted();
      return result;
    } catch (error) {
      // Whoever worked on the call may have noticed the abort first and say so in other words.
      throw this.signal.aborted ? this.signal.reason : error;
    } finally {
      this.callerSignal.removeEventListener('abort', this.forwardAbort);
      this.controller.abort(new ModelError('unreachable', 'The call is over'));
      await aborted.catch(() => undefined);
    }
  }

  private readonly forwardAbort = (): void => {
    this.controller.abort(this.callerSignal.reason);
  };

  private async watch(): Promise<never> {
    for (;;) {
      const { firstChunkMs, idleMs, deadlineMs } = this.limits;
      const now = this.clock.now();
      // A clock that was set back must not lengthen the wait.
      this.startedAt = Math.min(this.startedAt, now);
      this.lastSignAt = Math.min(this.lastSignAt, now);
      const allowedMs = this.hasBegun ? idleMs : firstChunkMs;
      const idleLeftMs = this.lastSignAt + allowedMs - now;
      const leftMs = this.startedAt + deadlineMs - now;
      if (leftMs <= 0) {
        throw new ModelError('timeout', `The model did not finish its answer within ${inSeconds(deadlineMs)}.`);
      }
      if (idleLeftMs <= 0) {
        throw new ModelError('stalled', `The model fell silent: nothing came for ${inSeconds(allowedMs)}.`);
      }
      await this.clock.sleep(Math.min(idleLeftMs, leftMs, idleMs), this.signal);
    }
  }
}

function inSeconds(ms: number): string {
  return `${ms / 1000} s`;
}
