/**
 * Writes images of the living state. It makes its own state from the journal, which is read again
 * from disk up to what was acknowledged, so neither commits nor the main thread wait for an image, and what cannot be read
 * back never gets into one.
 */
import path from 'node:path';
import { LedgerClosedError, messageOf, StorageError } from '../domain/errors.ts';
import { apply, type SquadState } from '../domain/squadState.ts';
import type { Files } from './files.ts';
import { readHistory } from './history.ts';
import { followJournal, type Position, type Reign } from './journalChain.ts';
import { Housekeeping } from './housekeeping.ts';
import type { LedgerLimits } from './limits.ts';
import { EventReader } from './recordEvents.ts';
import { writeImage } from './stateImage.ts';
import { listStorage, unfinishedFiles } from './storageFolder.ts';

export interface ImageStart {
  readonly storage: string;
  /** This owner's. */
  readonly epoch: number;
  /** The link that the next owner would make; its presence ends this. */
  readonly laterOwner: string;
  readonly limits: LedgerLimits;
  /** Blobs that were there before this owner wrote anything. */
  readonly oldBlobs: readonly string[];
}
/** Asked for one at a time: an image of everything up to an event that is durable. */
export interface ImageRequest {
  readonly upTo: number;
}
export type ImageReply =
  | { readonly type: 'imaged'; readonly sequence: number; readonly bytes: number }
  | { readonly type: 'failed'; readonly message: string };

interface Known {
  readonly state: SquadState;
  position: Position;
  reigns: readonly Reign[];
}

export class ImageKeeper {
  private readonly files: Files;
  private readonly start: ImageStart;
  private readonly reader: EventReader;
  private readonly housekeeping: Housekeeping;
  private known: Known | undefined;

  constructor(files: Files, start: ImageStart) {
    this.files = files;
    this.start = start;
    this.reader = new EventReader(files, start.storage);
    this.housekeeping = new Housekeeping({
      files,
      ...start,
      assertOwner: () => {
        this.assertOwner();
      },
    });
  }

  /** Never rejects. */
  async handle({ upTo }: ImageRequest): Promise<ImageReply> {
    try {
      const known = this.known ?? (await this.begin(upTo));
      this.known = known;
      this.catchUp(known, upTo);
      this.assertOwner();
      const bytes = writeImage(this.files, this.start.storage, known);
      this.housekeeping.tidy(known.state, known.reigns);
      return { type: 'imaged', sequence: known.position.sequence, bytes };
    } catch (error) {
      // Whatever stopped in the middle is made anew from disk.
      this.known = undefined;
      return { type: 'failed', message: messageOf(error) };
    }
  }

  private async begin(upTo: number): Promise<Known> {
    const { storage } = this.start;
    for (const name of unfinishedFiles(this.files, storage)) {
      this.files.remove(path.join(storage, name));
    }
    const { state, position, reigns } = await readHistory(this.files, storage, upTo);
    return { state, position, reigns };
  }

  private catchUp(known: Known, upTo: number): void {
    const { storage } = this.start;
    const chain = followJournal(this.files, storage, listStorage(this.files, storage).segments, known.position);
    const records = chain.kind === 'chain' ? chain.records.filter(({ sequence }) => sequence <= upTo) : [];
    for (const record of records) {
      const isOwn = record.epoch === this.start.epoch;
      apply(known.state, this.reader[isOwn ? 'ownEvent' : 'event'](record, record.segment));
      known.position = { epoch: record.epoch, sequence: record.sequence, crc: record.crc };
    }
    if (known.position.sequence !== upTo) {
      throw new StorageError(`the journal cannot be read behind event ${known.position.sequence}`);
    }
    if (chain.kind === 'chain') {
      const [oldest] = listStorage(this.files, storage).segments;
      known.reigns = [...known.reigns, ...chain.reigns.filter(({ from }) => from < upTo)].filter(
        ({ epoch }) => epoch >= (oldest?.epoch ?? 0),
      );
    }
  }

  private assertOwner(): void {
    if (this.files.exists(this.start.laterOwner)) {
      throw new LedgerClosedError('another process has taken over this squad');
    }
  }
}
