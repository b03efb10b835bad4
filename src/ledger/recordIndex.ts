/** Finds a single event again: in which segment its record stands, and where. */
import path from 'node:path';
import { StorageError } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import { codeOf, type Files } from './files.ts';
import type { Reign } from './journalChain.ts';
import { decodeRecord, HEADER_BYTES, peekHeader } from './journalRecord.ts';
import type { EventReader } from './recordEvents.ts';
import { scanSegment } from './segmentScan.ts';
import { listStorage } from './storageFolder.ts';

interface Span {
  readonly name: string;
  readonly epoch: number;
  readonly first: number;
  /** Where records stand; read from the segment when first asked for. */
  places: Places | undefined;
}

/** By the distance from the first record: numbers apart, since an object for each would be most of what a busy squad keeps. */
interface Places {
  readonly offsets: number[];
  readonly lengths: number[];
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Segments whose places are kept in memory; those of others are looked up again when somebody asks. */
const MOST_KNOWN = 8;

export class RecordIndex {
  private readonly files: Files;
  private readonly folder: string;
  private readonly reader: EventReader;
  /** By the sequence of their first records. */
  private readonly spans: Span[];
  /** Those with places, in the order they came. */
  private readonly known: Span[] = [];

  /** Knows the segments that are there, as far as the given owners wrote what counts. */
  constructor(files: Files, folder: string, reader: EventReader, reigns: readonly Reign[]) {
    this.files = files;
    this.reader = reader;
    this.folder = folder;
    this.spans = listStorage(files, folder).segments.flatMap(({ name, epoch }): Span[] => {
      const reign = reigns.findIndex((candidate) => candidate.epoch === epoch);
      const header = peekHeader(files.read(path.join(folder, name), 0, HEADER_BYTES), 0);
      const overtakenAt = reigns[reign + 1]?.from ?? Infinity;
      return reign >= 0 && header?.epoch === epoch && header.sequence <= overtakenAt
        ? [{ name, epoch, first: header.sequence, places: undefined }]
        : [];
    });
  }

  /** A segment that is being written begins. */
  begin(name: string, epoch: number, first: number): void {
    const span = { name, epoch, first, places: { offsets: [], lengths: [] } };
    this.spans.push(span);
    this.remember(span);
  }

  /** The next record of the segment begun last. */
  add(offset: number, length: number): void {
    const places = this.spans.at(-1)?.places;
    places?.offsets.push(offset);
    places?.lengths.push(length);
  }

  /** Undefined where no segment has it. Throws a StorageError when its bytes have changed since. */
  read(sequence: number): SquadEvent | undefined {
    const index = this.spans.findLastIndex(({ first }) => first <= sequence);
    const span = this.spans[index];
    if (!span) {
      return undefined;
    }
    try {
      if (!span.places) {
        span.places = this.placesOf(span);
        this.remember(span);
      }
      const offset = span.places.offsets[sequence - span.first];
      const length = span.places.lengths[sequence - span.first];
      return offset === undefined || length === undefined ? undefined : this.readAt(span, { offset, length }, sequence);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        throw error;
      }
      // Nobody needed it any more.
      this.spans.splice(index, 1);
      return this.read(sequence);
    }
  }

  /** The one that is being written is always known. */
  private remember(span: Span): void {
    this.known.push(span);
    const oldest = this.known.findIndex((each) => each !== this.spans.at(-1));
    if (this.known.length > MOST_KNOWN && oldest >= 0) {
      for (const forgotten of this.known.splice(oldest, 1)) {
        forgotten.places = undefined;
      }
    }
  }

  private readAt({ name, epoch }: Span, { offset, length }: Place, sequence: number): SquadEvent {
    const record = decodeRecord(this.files.read(path.join(this.folder, name), offset, length), 0);
    if (record?.sequence !== sequence || record.epoch !== epoch) {
      throw new StorageError(`Event ${sequence} in ${name} has changed on disk and cannot be trusted.`);
    }
    return this.reader.event(record, name);
  }

  private placesOf({ name, epoch, first }: Span): Places {
    const places: Places = { offsets: [], lengths: [] };
    for (const { sequence, offset, length } of scanSegment(this.files.read(path.join(this.folder, name)), epoch)
      .records) {
      places.offsets[sequence - first] = offset;
      places.lengths[sequence - first] = length;
    }
    return places;
  }
}
