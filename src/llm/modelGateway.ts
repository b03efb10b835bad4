/**
 * The one way to a model. It bounds how many calls are under way, tries again where trying again can help, and passes
 * everything else on as the ModelError it is.
 */
import PQueue from 'p-queue';
import { ModelError, type ModelFailureKind } from '../domain/errors.ts';
import type { Clock, LanguageModel, Logger, ModelReply, ModelRequest } from '../ports.ts';

const MAX_TRIES = 5;
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 60_000;
const RETRYABLE: ReadonlySet<ModelFailureKind> = new Set([
  'unreachable',
  'rate-limit',
  'server',
  'stalled',
  'timeout',
  'malformed',
]);

export class ModelGateway {
  private readonly queue: PQueue;
  private readonly clock: Clock;
  private readonly logger: Logger;

  constructor(options: { concurrency: number; clock: Clock; logger: Logger }) {
    this.queue = new PQueue({ concurrency: options.concurrency });
    this.clock = options.clock;
    this.logger = options.logger;
  }

  /** Rejects with a ModelError after the last try, or with the signal's reason. `onText` hears '' as each try begins. */
  async ask(
    model: LanguageModel,
    request: ModelRequest,
    onText: (delta: string) => void,
    signal: AbortSignal,
  ): Promise<ModelReply> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.queue.add(
          () => {
            onText('');
            return model.ask(request, onText, signal);
          },
          { signal },
        );
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ModelError) || !RETRYABLE.has(error.kind) || tries === MAX_TRIES) {
          throw error;
        }
        const delayMs = this.delayMs(tries, error.retryAfterMs);
        this.logger.warn(`${model.id}: ${error.message} Next try in ${Math.round(delayMs / 1000)} s.`);
        await this.clock.sleep(delayMs, signal);
      }
    }
  }

  /** Full jitter, so that agents that failed together do not come back together; the provider's own wish comes first. */
  private delayMs(tries: number, retryAfterMs: number | undefined): number {
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
    return retryAfterMs === undefined ? this.clock.random() * ceiling : Math.min(retryAfterMs, LONGEST_DELAY_MS);
  }
}
