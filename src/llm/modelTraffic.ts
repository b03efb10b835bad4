/**
 * How the calls of all agents to one model take turns: not before the provider wants, not faster than it takes them, and
 * one at a time to try it after it has failed too often.
 */
import type { ModelError, ModelFailureKind } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';

const MINUTE_MS = 60_000;
/** From this rate on, calls a minute, nothing holds them up any more. */
const FAST = 600;
/** With each answer, so many calls a minute more. */
const FASTER = 0.5;
/** Slower than that is for the provider to say. */
const SLOWEST = 6;
/** Several calls that were under way at once are told to slow down for one and the same reason. */
const ONE_REASON_MS = 1000;
/** Failures in a row after which the model is taken to be down. */
const TOO_MANY = 5;
const FIRST_BREAK_MS = 15_000;
const LONGEST_BREAK_MS = 5 * MINUTE_MS;
/** The provider is at fault, or the way to it: another call would fail as well. */
const DOWN: ReadonlySet<ModelFailureKind> = new Set(['unreachable', 'server', 'stalled', 'timeout']);

export type CallEnd = 'answered' | 'cancelled' | ModelError;

export class ModelTraffic {
  private readonly clock: Pick<Clock, 'now' | 'sleep'>;
  private answered = false;
  /** When the provider wants to be asked again. */
  private notBefore = 0;
  private callsPerMinute = Infinity;
  private begun: number[] = [];
  private slowedAt = 0;
  private failures = 0;
  private breakMs = FIRST_BREAK_MS;
  private brokenUntil = 0;
  /** The one call that tries a model which was down. */
  private probe: PromiseWithResolvers<undefined> | undefined;

  constructor(clock: Pick<Clock, 'now' | 'sleep'>) {
    this.clock = clock;
  }

  /** Whether it has ever worked: then a failure is likely to pass. */
  get hasAnswered(): boolean {
    return this.answered;
  }

  /** Resolves when a call may begin, as things are then. `onWait` hears until when it waits, in ms since 1970. */
  async turn(onWait: (untilMs: number) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const now = this.clock.now();
      const until = this.closedUntil();
      if (until > now) {
        onWait(until);
        await this.clock.sleep(until - now, signal);
      } else if (this.probe) {
        await endedOrAborted(this.probe.promise, signal);
      } else {
        return;
      }
    }
  }

  /** Begins a call, which `leave` must end; false when others came first and it is nobody's turn now. */
  enter(): boolean {
    const now = this.clock.now();
    if (this.probe || this.closedUntil() > now) {
      return false;
    }
    this.begun = [...this.begun.filter((at) => at > now - MINUTE_MS), now];
    if (this.failures >= TOO_MANY) {
      this.probe = Promise.withResolvers<undefined>();
    }
    return true;
  }

  leave(end: CallEnd): void {
    const now = this.clock.now();
    this.probe?.resolve(undefined);
    this.probe = undefined;
    if (end === 'answered') {
      this.answered = true;
      this.failures = 0;
      this.breakMs = FIRST_BREAK_MS;
      this.callsPerMinute = this.callsPerMinute >= FAST ? Infinity : this.callsPerMinute + FASTER;
    } else if (end !== 'cancelled') {
      this.fail(end, now);
    }
  }

  private fail({ kind, retryAfterMs = 0 }: ModelError, now: number): void {
    this.notBefore = Math.max(this.notBefore, now + retryAfterMs);
    if (kind === 'rate-limit' && now - this.slowedAt >= ONE_REASON_MS) {
      this.slowedAt = now;
      this.callsPerMinute = Math.max(SLOWEST, Math.min(this.callsPerMinute, this.begun.length) / 2);
    }
    if (DOWN.has(kind) && ++this.failures >= TOO_MANY) {
      this.brokenUntil = now + this.breakMs;
      this.breakMs = Math.min(LONGEST_BREAK_MS, this.breakMs * 2);
    }
  }

  private closedUntil(): number {
    return Math.max(this.notBefore, this.nextTurn(), this.brokenUntil);
  }

  /** When the rate lets the next call begin. */
  private nextTurn(): number {
    const last = this.begun.at(-1);
    return last === undefined || this.callsPerMinute === Infinity ? 0 : last + MINUTE_MS / this.callsPerMinute;
  }
}

function endedOrAborted(ended: Promise<undefined>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', cut, { once: true });
    void ended.then(() => {
      signal.removeEventListener('abort', cut);
      resolve();
    });
  });
}
