/** The ledger's end of the journal's thread: queues records, says where they will lie, begins a segment when one is full. */
import path from 'node:path';
import { LedgerClosedError, messageOf, StorageError } from '../domain/errors.ts';
import type { Files } from './files.ts';
import type { JournalReply } from './groupCommit.ts';
import type { Blob } from './recordEvents.ts';
import { segmentName } from './storageFolder.ts';
import type { JournalThread, LedgerThreads } from './threads.ts';

export interface JournalWriterOptions {
  readonly files: Files;
  readonly threads: LedgerThreads;
  readonly storage: string;
  readonly epoch: number;
  readonly laterOwner: string;
  /** A segment that has reached this many bytes is followed by another. */
  readonly segmentBytes: number;
  readonly onDurable: (sequence: number) => void;
  /** Called once. */
  readonly onFailed: (error: Error) => void;
}

export class JournalWriter {
  private readonly o: JournalWriterOptions;
  private readonly thread: JournalThread;
  private part = 1;
  /** Bytes handed over for this segment. */
  private length = 0;
  private over = false;

  /** Throws a StorageError when the storage folder cannot be made. */
  constructor(options: JournalWriterOptions) {
    this.o = options;
    const { files, storage, laterOwner, segmentBytes } = options;
    try {
      files.makeFolder(storage);
      files.syncFolder(path.dirname(storage));
    } catch (cause) {
      throw new StorageError(`The storage folder cannot be made: ${messageOf(cause)}`, { cause });
    }
    this.thread = options.threads.journal(
      { file: this.file, laterOwner, segmentBytes },
      {
        onReply: (reply) => {
          this.receive(reply);
        },
        onEnd: (reason) => {
          this.fail(reason);
        },
      },
    );
  }

  /** Name of the segment that the next record goes into. */
  get segment(): string {
    return segmentName(this.o.epoch, this.part);
  }

  /** Begins a new segment where the last one is full. To be asked before `append`. */
  rotate(): boolean {
    if (this.length < this.o.segmentBytes) {
      return false;
    }
    this.part++;
    this.length = 0;
    this.thread.post({ type: 'rotate', file: this.file });
    return true;
  }

  /** Queues one or more whole records and the blobs they name; answers where the first of them will lie. */
  append(bytes: Uint8Array<ArrayBuffer>, lastSequence: number, blobs: readonly Blob[]): number {
    const offset = this.length;
    this.length += bytes.length;
    this.thread.post({ type: 'append', bytes, lastSequence, blobs });
    return offset;
  }

  /** Hands what is queued to the thread now rather than when this turn has ended. */
  flush(): void {
    this.thread.flush();
  }

  /** Writes what is queued and ends the thread. */
  async close(): Promise<void> {
    this.thread.post({ type: 'close' });
    await this.thread.ended;
  }

  private get file(): string {
    return path.join(this.o.storage, this.segment);
  }

  private receive(reply: JournalReply): void {
    if (reply.type === 'failed') {
      this.fail(reply.message);
    } else if (!this.over) {
      this.o.onDurable(reply.sequence);
    }
  }

  private fail(reason: string): void {
    if (!this.over) {
      this.over = true;
      this.o.onFailed(
        new LedgerClosedError(`The journal cannot be written: ${reason}. What was acknowledged is safe.`),
      );
    }
  }
}
