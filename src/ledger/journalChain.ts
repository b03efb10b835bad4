/**
 * Finds the records that count. An owner's first record says up to where it had read, so whatever an earlier owner wrote
 * beyond that is passed over; and a record counts only when every record between it and the base is there.
 */
import path from 'node:path';
import type { Files } from './files.ts';
import { HEADER_BYTES, peekHeader, type JournalRecord } from './journalRecord.ts';
import { EventReader } from './recordEvents.ts';
import { scanSegment, type SegmentScan } from './segmentScan.ts';
import type { Damage, SegmentName } from './storageFolder.ts';

/** The last record that something holds; zeros before the first. */
export interface Position {
  readonly epoch: number;
  readonly sequence: number;
  readonly crc: number;
}
export const BEGINNING: Position = { epoch: 0, sequence: 0, crc: 0 };

/** That owner's records begin behind `from`; those of earlier owners end there. */
export interface Reign {
  readonly epoch: number;
  readonly from: number;
}

export interface ChainRecord extends JournalRecord {
  readonly segment: string;
}

export interface JournalChain {
  readonly kind: 'chain';
  /** In order, the first right behind the base, without gaps. */
  readonly records: readonly ChainRecord[];
  /** Owners behind the base's, in order. */
  readonly reigns: readonly Reign[];
  readonly end: Position;
  /** Names of the segments that were read, in order. */
  readonly read: readonly string[];
  readonly damage: readonly Damage[];
}

/**
 * Follows the journal from a base. `overtaken`: a later owner had read less than the base holds, so it does not count;
 * `foreign`: the journal has another record at its place. Throws a StorageError for records of a newer version.
 */
export function followJournal(
  files: Files,
  folder: string,
  segments: readonly SegmentName[],
  base: Position,
): JournalChain | { readonly kind: 'overtaken' | 'foreign' } {
  const walk = new Walk(files, folder, base);
  for (const [epoch, parts] of Map.groupBy(segments, (segment) => segment.epoch)) {
    if (epoch >= base.epoch) {
      walk.enter(epoch, parts);
    }
  }
  return walk.result();
}

class Walk {
  private readonly files: Files;
  private readonly folder: string;
  private readonly base: Position;
  private readonly reader: EventReader;
  private readonly records: ChainRecord[] = [];
  private readonly reigns: Reign[] = [];
  private readonly read: string[] = [];
  private damage: Damage[] = [];
  private baseIs: 'right' | 'overtaken' | 'foreign' = 'right';

  constructor(files: Files, folder: string, base: Position) {
    this.files = files;
    this.folder = folder;
    this.base = base;
    this.reader = new EventReader(files, folder);
  }

  result(): JournalChain | { kind: 'overtaken' | 'foreign' } {
    return this.baseIs === 'right'
      ? {
          kind: 'chain',
          records: this.records,
          reigns: this.reigns,
          end: this.end,
          read: this.read,
          damage: this.damage,
        }
      : { kind: this.baseIs };
  }

  enter(epoch: number, parts: readonly SegmentName[]): void {
    if (this.baseIs !== 'right') {
      return;
    }
    if (epoch === this.base.epoch) {
      this.takePartsFrom(this.firstPartBehindBase(parts), parts);
      return;
    }
    const [first] = parts;
    const scan = first && this.scan(first);
    if (!first || !scan) {
      return;
    }
    const [opening] = scan.records;
    if (parts.length === 1 && !opening && scan.fault?.kind !== 'damaged') {
      // Its owner died before its first record was whole; nothing was acknowledged.
      return;
    }
    const fit = first.part === 1 && opening ? this.takeOver(first.name, opening) : 'gap';
    switch (fit) {
      case 'right':
        this.take(first, scan);
        this.takePartsFrom(1, parts);
        return;
      case 'overtaken':
        this.baseIs = 'overtaken';
        return;
      case 'gap':
        for (const { name } of parts) {
          this.damage.push({ name, finding: `${name} continues from an event that cannot be read`, inUse: false });
        }
    }
  }

  /** Whether a new owner's first record fits to what was read; then its reign begins. */
  private takeOver(segment: string, opening: JournalRecord): 'right' | 'overtaken' | 'gap' {
    const event = this.reader.event(opening, segment);
    if (event.type !== 'ledger-opened' || event.lastSequence > this.end.sequence) {
      return 'gap';
    }
    if (event.lastSequence < this.base.sequence) {
      return 'overtaken';
    }
    const kept = event.lastSequence - this.base.sequence;
    if ((kept === 0 ? this.base.crc : this.records[kept - 1]?.crc) !== event.lastCrc) {
      return 'gap';
    }
    this.records.length = kept;
    this.reigns.push({ epoch: opening.epoch, from: event.lastSequence });
    // A later owner went on from here, so its person was told already.
    this.damage = [];
    return 'right';
  }

  private takePartsFrom(index: number, parts: readonly SegmentName[]): void {
    for (const part of parts.slice(index)) {
      this.take(part, this.scan(part));
    }
  }

  private take({ name }: SegmentName, { records, fault }: SegmentScan): void {
    let taken = 0;
    for (const record of records) {
      if (record.sequence === this.base.sequence && record.crc !== this.base.crc) {
        this.baseIs = 'foreign';
        return;
      }
      if (record.sequence <= this.base.sequence) {
        taken++;
      } else if (record.sequence === this.end.sequence + 1) {
        const blob = this.reader.damagedBlob(record);
        if (blob !== undefined) {
          this.spoilBlob(blob, name);
          return;
        }
        this.records.push({ ...record, segment: name });
        taken++;
      } else {
        break;
      }
    }
    const [first, last] = [records[0], records.at(-1)];
    if (first && last && first.sequence <= this.base.sequence && last.sequence < this.base.sequence) {
      // The base was made of what is missing there.
      const finding = `${name} ends with event ${last.sequence}, and had more`;
      this.damage.push({ name, finding, inUse: true });
      return;
    }
    if (taken < records.length && taken === 0) {
      this.damage.push({ name, finding: `${name} continues from an event that cannot be read`, inUse: false });
    } else if (taken < records.length || fault?.kind === 'damaged') {
      const finding = `${name} is damaged behind event ${this.end.sequence}`;
      this.damage.push({ name, finding, inUse: taken > 0 });
    }
  }

  private spoilBlob(blob: string, segment: string): void {
    const next = this.end.sequence + 1;
    if (this.files.exists(path.join(this.folder, blob))) {
      this.damage.push({
        name: blob,
        finding: `${blob}, which is the body of event ${next}, is damaged`,
        inUse: false,
      });
    }
    const finding = `${segment} cannot be used from event ${next} on, whose body is missing`;
    this.damage.push({ name: segment, finding, inUse: true });
  }

  /** Index of the part that holds the base's own record; those before it need not be read. */
  private firstPartBehindBase(parts: readonly SegmentName[]): number {
    const holdsBase = parts.findLastIndex(({ name, epoch }) => {
      const header = peekHeader(this.files.read(path.join(this.folder, name), 0, HEADER_BYTES), 0);
      return header?.epoch === epoch && header.sequence <= this.base.sequence;
    });
    return Math.max(0, holdsBase);
  }

  private scan({ name, epoch }: SegmentName): SegmentScan {
    this.read.push(name);
    return scanSegment(this.files.read(path.join(this.folder, name)), epoch);
  }

  private get end(): Position {
    return this.records.at(-1) ?? this.base;
  }
}
