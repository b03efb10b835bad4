/**
 * Decides when the next image is due, and has it made. The thread starts with the first one: most sessions are too short
 * to need any.
 */
import { assertNever } from '../base/assertNever.ts';
import { untilAtRest } from '../base/atRest.ts';
import { messageOf } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';
import type { History } from './history.ts';
import type { ImageReply, ImageRequest, ImageStart } from './imageKeeper.ts';
import type { LedgerLimits } from './limits.ts';
import type { LedgerThreads, Thread } from './threads.ts';

export interface ImageMakerOptions {
  readonly threads: LedgerThreads;
  readonly start: ImageStart;
  readonly limits: LedgerLimits;
  readonly history: Pick<History, 'image' | 'behindImage'>;
  readonly clock: Pick<Clock, 'sleep'>;
  /** A sentence for the person; the squad goes on. */
  readonly onWarning: (sentence: string) => void;
}

export class ImageMaker {
  private readonly o: ImageMakerOptions;
  private thread: Thread<ImageRequest> | undefined;
  private making = false;
  private readonly closing = new AbortController();
  private over = false;
  private durableSequence = 0;
  /** Since the last image. */
  private records: number;
  private bytes: number;
  private segments: number;
  private lastImageBytes: number;

  constructor(options: ImageMakerOptions) {
    this.o = options;
    const { image, behindImage } = options.history;
    this.records = behindImage.records;
    this.bytes = behindImage.bytes;
    this.segments = behindImage.segments.length + 1;
    this.lastImageBytes = image.bytes;
  }

  /** To be told of all that is appended. */
  appended(records: number, bytes: number, newSegment: boolean): void {
    this.records += records;
    this.bytes += bytes;
    this.segments += newSegment ? 1 : 0;
  }

  /** To be told of all that is durable. */
  durable(sequence: number): void {
    this.durableSequence = sequence;
    if (!this.making && !this.over && this.isDue(1)) {
      this.making = true;
      void this.make();
    }
  }

  /** Ends the thread as it is: an image that is being written is left behind and counts for nothing. */
  async close(): Promise<void> {
    this.over = true;
    this.closing.abort();
    await this.thread?.stop();
  }

  /** A large state is written less often, so that images never cost more than the journal does. */
  private isDue(times: number): boolean {
    const { imageRecords, imageBytes, imageSegments } = this.o.limits;
    return (
      this.records >= times * imageRecords ||
      this.bytes >= times * Math.max(imageBytes, this.lastImageBytes / 2) ||
      this.segments >= times * imageSegments
    );
  }

  private async make(): Promise<void> {
    try {
      await this.rest();
      if (!this.over) {
        this.records = this.bytes = this.segments = 0;
        this.thread ??= this.startThread();
        this.thread.post({ upTo: this.durableSequence });
      }
    } catch (error) {
      this.warn(messageOf(error));
    }
  }

  private async rest(): Promise<void> {
    const { clock, limits } = this.o;
    if (limits.imageRestMs > 0) {
      await untilAtRest({
        progress: () => this.durableSequence,
        pause: () => clock.sleep(limits.imageRestMs, this.closing.signal),
        isLongEnough: () => this.isDue(2),
      });
    }
  }

  private startThread(): Thread<ImageRequest> {
    return this.o.threads.images(this.o.start, {
      onReply: (reply) => {
        this.making = false;
        this.receive(reply);
      },
      onEnd: (reason) => {
        this.warn(reason);
        this.over = true;
      },
    });
  }

  private receive(reply: ImageReply): void {
    switch (reply.type) {
      case 'imaged':
        this.lastImageBytes = reply.bytes;
        return;
      case 'failed':
        this.warn(reply.message);
        return;
      default:
        assertNever(reply);
    }
  }

  private warn(reason: string): void {
    if (!this.over) {
      this.o.onWarning(
        `No image of the squad's state could be written: ${reason}. Nothing is lost; the next start takes longer.`,
      );
    }
  }
}
