/** What housekeeping has to know of each segment of the journal. A segment that is full is read for it once. */
import path from 'node:path';
import type { Files } from './files.ts';
import type { Reign } from './journalChain.ts';
import type { JournalRecord } from './journalRecord.ts';
import { subjectOf } from './recordEvents.ts';
import { scanSegment, type SegmentScan } from './segmentScan.ts';
import { listStorage, type SegmentName } from './storageFolder.ts';

export interface SegmentFacts extends SegmentName {
  /** Whether another one follows, and all that counts in it is up to the event that was asked for. */
  readonly isFull: boolean;
  /** Of the first and the last record that counts; 0 where none does. */
  readonly first: number;
  readonly last: number;
  /** Whether something in it cannot be read, does not count, or is missing: such a segment is kept. */
  readonly isStrange: boolean;
  /** Sequences of each run's records. */
  readonly runs: ReadonlyMap<string, readonly number[]>;
  /** Sequences of records of no run that the tables need. */
  readonly standing: readonly number[];
  /** Blobs that its records name. */
  readonly blobs: readonly string[];
}

export class SegmentSurvey {
  private readonly files: Files;
  private readonly folder: string;
  private readonly known = new Map<string, SegmentFacts>();

  constructor(files: Files, folder: string) {
    this.files = files;
    this.folder = folder;
  }

  /** Every segment on disk, in order, as far as its records count and are up to an event that is durable. */
  look(reigns: readonly Reign[], upTo: number): SegmentFacts[] {
    const { segments } = listStorage(this.files, this.folder);
    const found = segments.map((segment, index) => {
      const known = this.known.get(segment.name);
      if (known) {
        return known;
      }
      const facts = this.read(segment, index < segments.length - 1, reigns, upTo);
      if (facts.isFull) {
        this.known.set(segment.name, facts);
      }
      return facts;
    });
    return found.map((facts, index) => ({
      ...facts,
      isStrange: facts.isStrange || (facts.isFull && facts.last < endOf(facts, found[index + 1], reigns)),
    }));
  }

  forget(name: string): void {
    this.known.delete(name);
  }

  /** Those records of a segment. */
  records(segment: SegmentName, sequences: readonly number[]): JournalRecord[] {
    const wanted = new Set(sequences);
    return wanted.size === 0 ? [] : this.scan(segment).records.filter(({ sequence }) => wanted.has(sequence));
  }

  private read(segment: SegmentName, isFollowed: boolean, reigns: readonly Reign[], upTo: number): SegmentFacts {
    const { records, fault } = this.scan(segment);
    const reign = reigns.findIndex(({ epoch }) => epoch === segment.epoch);
    const counts = reign < 0 ? 0 : (reigns[reign + 1]?.from ?? Infinity);
    const isFull = isFollowed && Math.min(records.at(-1)?.sequence ?? 0, counts) <= upTo;
    const runs = new Map<string, number[]>();
    const standing: number[] = [];
    const blobs: string[] = [];
    let last = 0;
    for (const record of records.filter(({ sequence }) => sequence <= Math.min(upTo, counts))) {
      const { type, runId, blob } = subjectOf(record, segment.name);
      last = record.sequence;
      if (runId !== undefined) {
        const sequences = runs.get(runId) ?? [];
        sequences.push(last);
        runs.set(runId, sequences);
      } else if (type !== 'ledger-opened') {
        standing.push(last);
      }
      if (blob !== undefined) {
        blobs.push(blob);
      }
    }
    const [first] = records;
    const counting = first !== undefined && first.sequence <= counts ? first.sequence : 0;
    const isStrange = fault?.kind === 'damaged' || (counting === 0 && (records.length > 0 || fault !== undefined));
    return { ...segment, isFull, first: counting, last, isStrange, runs, standing, blobs };
  }

  private scan({ name, epoch }: SegmentName): SegmentScan {
    return scanSegment(this.files.read(path.join(this.folder, name)), epoch);
  }
}

/** Up to where a segment must reach, as far as what stands behind it tells; 0 where nothing does. */
function endOf({ epoch, part }: SegmentName, next: SegmentFacts | undefined, reigns: readonly Reign[]): number {
  if (next?.epoch === epoch) {
    return next.part === part + 1 && next.first > 0 ? next.first - 1 : 0;
  }
  const reign = reigns.findIndex((each) => each.epoch === epoch);
  return reign < 0 ? 0 : (reigns[reign + 1]?.from ?? 0);
}
