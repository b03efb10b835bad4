/** Saves the tables when nothing more comes, so that the next start has little to catch up. Runs only while something is unsaved. */
import { messageOf } from '../../domain/errors.ts';
import type { Clock, Logger } from '../../ports.ts';

interface Saveable {
  readonly appendedSequence: number;
  readonly savedSequence: number;
  save(signal: AbortSignal): Promise<void>;
}

const IDLE_MS = 2000;
/** A squad that is never idle saves after this many events all the same. */
const MOST_UNSAVED = 50_000;

export class IdleSaver {
  private readonly tables: Saveable;
  private readonly clock: Clock;
  private readonly logger: Logger | undefined;
  private readonly signal: AbortSignal;
  private running = false;

  constructor(tables: Saveable, clock: Clock, logger: Logger | undefined, signal: AbortSignal) {
    this.tables = tables;
    this.clock = clock;
    this.logger = logger;
    this.signal = signal;
  }

  /** To be called when something was appended. */
  wake(): void {
    if (!this.running) {
      this.running = true;
      void this.run();
    }
  }

  /** Never rejects; a save that failed is tried again after the next event. */
  private async run(): Promise<void> {
    try {
      let seen = -1;
      while (this.tables.savedSequence < this.tables.appendedSequence) {
        await this.clock.sleep(IDLE_MS, this.signal);
        const { appendedSequence, savedSequence } = this.tables;
        if (appendedSequence === seen || appendedSequence - savedSequence >= MOST_UNSAVED) {
          await this.tables.save(this.signal);
        }
        seen = appendedSequence;
      }
    } catch (error) {
      if (!this.signal.aborted) {
        this.logger?.warn(messageOf(error));
      }
    } finally {
      this.running = false;
    }
  }
}
