/**
 * The one way to a model. It bounds how many calls are under way, lets them take turns, tries again where trying again can
 * help, and passes everything else on as the ModelError it is.
 */
import PQueue from 'p-queue';
import { ModelError, type ModelFailureKind } from '../domain/errors.ts';
import type { Clock, LanguageModel, Logger, ModelReply, ModelRequest } from '../ports.ts';
import { ModelTraffic, type CallEnd } from './modelTraffic.ts';

/** Of one call, when nothing says that the model works at all. */
const MAX_TRIES = 5;
/** For a model that has worked: how long one call is tried, not counted what its provider wants to be left alone. */
const PATIENCE_MS = 30 * 60_000;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
/** A wait that a person should know about. */
const LONG_WAIT_MS = 5_000;
const RETRYABLE: ReadonlySet<ModelFailureKind> = new Set([
  'unreachable',
  'rate-limit',
  'server',
  'stalled',
  'timeout',
  'malformed',
]);

export interface CallListener {
  /** '' as each try begins. */
  onText(delta: string): void;
  /** The call stands still until then, in ms since 1970, and goes on by itself. */
  onParked(untilMs: number, reason: string): void;
}

export class ModelGateway {
  private readonly queue: PQueue;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly traffic = new Map<string, ModelTraffic>();

  constructor(options: { concurrency: number; clock: Clock; logger: Logger }) {
    this.queue = new PQueue({ concurrency: options.concurrency });
    this.clock = options.clock;
    this.logger = options.logger;
  }

  /** Rejects with a ModelError after the last try, or with the signal's reason. */
  async ask(
    model: LanguageModel,
    request: ModelRequest,
    listener: CallListener,
    signal: AbortSignal,
  ): Promise<ModelReply> {
    const traffic = this.trafficOf(model);
    let last: ModelError | undefined;
    let patientUntil: number | undefined;
    for (let tries = 1; ; tries++) {
      try {
        return await this.tryOnce(model, request, listener, last, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ModelError) || error.isFinal || !RETRYABLE.has(error.kind)) {
          throw error;
        }
        last = error;
        const now = this.clock.now();
        // What the provider wishes for is no sign that it is gone.
        patientUntil = error.retryAfterMs === undefined ? (patientUntil ?? now + PATIENCE_MS) : undefined;
        const mayPass = traffic.hasAnswered && error.kind !== 'malformed';
        if (tries >= MAX_TRIES && (!mayPass || (patientUntil !== undefined && now >= patientUntil))) {
          throw error;
        }
        await this.rest(model, error, tries, listener, signal);
      }
    }
  }

  private async tryOnce(
    model: LanguageModel,
    request: ModelRequest,
    listener: CallListener,
    last: ModelError | undefined,
    signal: AbortSignal,
  ): Promise<ModelReply> {
    const traffic = this.trafficOf(model);
    const onText = (delta: string): void => {
      listener.onText(delta);
    };
    for (;;) {
      await traffic.turn((until) => {
        this.park(listener, until, last);
      }, signal);
      // Its turn may have passed while it stood in the queue.
      const reply = await this.queue.add(
        async () => {
          if (!traffic.enter()) {
            return undefined;
          }
          let end: CallEnd = 'cancelled';
          try {
            onText('');
            const answer = await model.ask(request, onText, signal);
            end = 'answered';
            return answer;
          } catch (error) {
            end = error instanceof ModelError && !signal.aborted ? error : 'cancelled';
            throw error;
          } finally {
            traffic.leave(end);
          }
        },
        { signal },
      );
      if (reply) {
        return reply;
      }
    }
  }

  /** Full jitter, so that agents that failed together do not come back together; the provider's own wish comes first. */
  private async rest(
    model: LanguageModel,
    error: ModelError,
    tries: number,
    listener: CallListener,
    signal: AbortSignal,
  ): Promise<void> {
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
    const delayMs = error.retryAfterMs ?? this.clock.random() * ceiling;
    this.logger.warn(`${model.id}: ${error.message} Next try in ${Math.round(delayMs / 1000)} s.`);
    this.park(listener, this.clock.now() + delayMs, error);
    await this.clock.sleep(delayMs, signal);
  }

  private park(listener: CallListener, untilMs: number, last: ModelError | undefined): void {
    if (untilMs - this.clock.now() >= LONG_WAIT_MS) {
      listener.onParked(untilMs, last?.message ?? 'Other calls of this model failed.');
    }
  }

  /** Of one model at one address. */
  private trafficOf({ id, label }: LanguageModel): ModelTraffic {
    const key = `${id} ${label}`;
    const known = this.traffic.get(key) ?? new ModelTraffic(this.clock);
    this.traffic.set(key, known);
    return known;
  }
}
