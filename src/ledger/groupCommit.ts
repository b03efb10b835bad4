/**
 * Writes the segments of one owner's journal. What has arrived is written and synced at once, then it is made sure that
 * no later owner has taken the squad and that the file still stands in its folder, and only then it is acknowledged.
 * After the first failure nothing is acknowledged any more: a sync that failed is not tried again.
 *
 * Zeros are written ahead of the records, because a disk is done sooner with bytes of a file that are there already.
 */
import path from 'node:path';
import { assertNever } from '../base/assertNever.ts';
import { messageOf } from '../domain/errors.ts';
import { codeOf, type Files, writeWhole } from './files.ts';
import { commitOf } from './journalRecord.ts';
import { BLOBS, writeFile } from './storageFolder.ts';

export interface JournalStart {
  /** The first segment; its folder is there. */
  readonly file: string;
  /** The link that the next owner would make; its presence ends this journal. */
  readonly laterOwner: string;
  /** A segment takes no more zeros than that. */
  readonly segmentBytes: number;
}
export type JournalRequest =
  /** One or more whole records, the last with that sequence. The bytes are the journal's from now on. */
  | {
      readonly type: 'append';
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly lastSequence: number;
      /** What the records name: made durable before them. */
      readonly blobs: readonly { readonly name: string; readonly bytes: Uint8Array }[];
    }
  /** What comes from now on goes into a new segment. */
  | { readonly type: 'rotate'; readonly file: string }
  | { readonly type: 'close' };
export type JournalReply =
  { readonly type: 'durable'; readonly sequence: number } | { readonly type: 'failed'; readonly message: string };

export interface GroupCommitOptions {
  readonly files: Files;
  readonly start: JournalStart;
  readonly reply: (reply: JournalReply) => void;
  /** Runs the work once what has already arrived was handed over. */
  readonly soon: (work: () => void) => void;
}

interface Segment {
  readonly file: string;
  readonly handle: number;
  /** Bytes of records that were synced. */
  length: number;
  /** Bytes of the file: records, then zeros. */
  ahead: number;
}

/** Written ahead at a time, once half of it is left, */
const AHEAD_BYTES = 256 * 1024;
/** while commits are smaller than that: others gain nothing by it. */
const SMALL_BYTES = 4096;
const NO_ROOM: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export class GroupCommit {
  private readonly o: GroupCommitOptions;
  private segment: Segment | undefined;
  private pending: Uint8Array<ArrayBuffer>[] = [];
  private blobs: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  private lastSequence = 0;
  private scheduled = false;
  private failed = false;
  private hasRoom = true;

  constructor(options: GroupCommitOptions) {
    this.o = options;
    this.attempt(() => {
      this.segment = this.begin(options.start.file);
    });
  }

  handle(request: JournalRequest): void {
    switch (request.type) {
      case 'append':
        this.pending.push(request.bytes);
        this.blobs.push(...request.blobs);
        this.lastSequence = request.lastSequence;
        if (!this.scheduled) {
          this.scheduled = true;
          this.o.soon(() => {
            this.scheduled = false;
            this.flush();
          });
        }
        return;
      case 'rotate':
        this.flush();
        this.attempt(() => {
          this.end();
          this.segment = this.begin(request.file);
        });
        return;
      case 'close':
        this.flush();
        this.end();
        return;
      default:
        assertNever(request);
    }
  }

  private flush(): void {
    if (this.pending.length === 0) {
      return;
    }
    const bytes = commitOf(this.pending);
    const sequence = this.lastSequence;
    this.pending = [];
    this.attempt(() => {
      const segment = this.commit(bytes);
      this.o.reply({ type: 'durable', sequence });
      if (bytes.length < SMALL_BYTES && segment.ahead - segment.length < AHEAD_BYTES / 2) {
        this.writeAhead(segment);
      }
    });
  }

  private commit(bytes: Uint8Array): Segment {
    const { files, start } = this.o;
    const { segment } = this;
    if (!segment) {
      throw new Error('its file is closed');
    }
    this.writeBlobs();
    try {
      writeWhole(files, segment.handle, bytes, segment.length);
      files.sync(segment.handle);
    } catch (error) {
      this.takeBack(segment);
      throw error;
    }
    segment.length += bytes.length;
    segment.ahead = Math.max(segment.ahead, segment.length);
    if (files.exists(start.laterOwner)) {
      throw new Error('another process has taken over this squad');
    }
    this.assertThere(segment, files.exists(segment.file));
    return segment;
  }

  private assertThere({ file }: Segment, isThere: boolean): void {
    if (!isThere) {
      throw new Error(`${path.basename(file)} was moved or deleted`);
    }
  }

  /** A disk that has no room for zeros may have some for records. */
  private writeAhead(segment: Segment): void {
    const { files, start } = this.o;
    const length = Math.min(AHEAD_BYTES, start.segmentBytes - segment.ahead);
    if (!this.hasRoom || length <= 0) {
      return;
    }
    // Another file in its place is seen here, and one that is missing at each commit.
    this.assertThere(segment, files.isAt(segment.handle, segment.file));
    try {
      writeWhole(files, segment.handle, Buffer.alloc(length), segment.ahead);
      files.sync(segment.handle);
      segment.ahead += length;
    } catch (error) {
      if (!NO_ROOM.includes(codeOf(error))) {
        throw error;
      }
      this.hasRoom = false;
      files.truncate(segment.handle, segment.ahead);
    }
  }

  private writeBlobs(): void {
    const { files, start } = this.o;
    if (this.blobs.length === 0) {
      return;
    }
    const storage = path.dirname(start.file);
    const folder = path.join(storage, BLOBS);
    if (!files.exists(folder)) {
      files.makeFolder(folder);
      files.syncFolder(storage);
    }
    for (const { name, bytes } of this.blobs) {
      writeFile(files, folder, name, [bytes]);
    }
    this.blobs = [];
  }

  /**
   * What a failed sync left is seen by the next reader and may be gone after a power cut, so nobody may build on it. The
   * next owner passes over what cannot be cut off, as long as it is not whole.
   */
  private takeBack({ handle, length }: Segment): void {
    try {
      this.o.files.truncate(handle, length);
    } catch {
      // Told already: the disk is beyond help.
    }
  }

  /** An existing file is never opened, so nothing that is on disk can be overwritten. */
  private begin(file: string): Segment {
    const handle = this.o.files.create(file);
    this.o.files.syncFolder(path.dirname(file));
    return { file, handle, length: 0, ahead: 0 };
  }

  /** The zeros are cut off where all went well; else a later owner may have read what a write left that was not told. */
  private end(): void {
    const { files } = this.o;
    try {
      if (this.segment) {
        if (!this.failed) {
          files.truncate(this.segment.handle, this.segment.length);
        }
        files.close(this.segment.handle);
      }
    } catch {
      // What counts was synced before.
    } finally {
      this.segment = undefined;
    }
  }

  private attempt(work: () => void): void {
    if (this.failed) {
      return;
    }
    try {
      work();
    } catch (error) {
      this.failed = true;
      this.o.reply({ type: 'failed', message: messageOf(error) });
    }
  }
}
