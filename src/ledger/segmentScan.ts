/** Reads one segment of the journal: every record whose checksum is right, also behind a damaged one. */
import { decodeRecord, HEADER_BYTES, peekHeader, type JournalRecord } from './journalRecord.ts';

export interface SegmentScan {
  /** Sequences rise. */
  readonly records: readonly JournalRecord[];
  /**
   * Where reading had to stop at first, if it did: `torn` when a write was cut off there, which is what a crash leaves of
   * records that were never acknowledged; `damaged` when what stands there can be no cut.
   */
  readonly fault: { readonly offset: number; readonly kind: 'torn' | 'damaged' } | undefined;
}

/** Farther ahead of the last good record, a sequence number is taken for chance. */
const FARTHEST = 10_000_000;
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
/** So many zeros in a row stand in no header, and none in JSON. */
const HOLE_BYTES = 8;

export function scanSegment(bytes: Buffer, epoch: number): SegmentScan {
  const end = endOf(bytes);
  const good = recordsFrom(bytes, 0, end, epoch);
  const offset = endOfLast(good);
  if (offset >= end) {
    return { records: good, fault: undefined };
  }
  let behind: JournalRecord[] = [];
  for (let next = nextRecord(bytes, offset + 1, epoch, good.at(-1)?.sequence); next !== undefined;) {
    behind = behind.concat(recordsFrom(bytes, next, end, epoch, behind.at(-1) ?? good.at(-1)));
    const last = behind.at(-1);
    next = last && nextRecord(bytes, last.offset + last.length, epoch, last.sequence);
  }
  // Whatever was written later says that this was whole once.
  const isLastWrite = behind.every(({ continues }) => continues);
  return isLastWrite && isCutOff(bytes, offset, behind[0]?.offset, epoch)
    ? { records: good, fault: { offset, kind: 'torn' } }
    : { records: [...good, ...behind], fault: { offset, kind: 'damaged' } };
}

function nextRecord(bytes: Buffer, from: number, epoch: number, after: number | undefined): number | undefined {
  for (let offset = from; offset + HEADER_BYTES <= bytes.length; offset++) {
    if (recordAt(bytes, offset, epoch, after)) {
      return offset;
    }
  }
  return undefined;
}

/** The header is looked at first: most offsets fail there, and no checksum has to be made. */
function recordAt(bytes: Buffer, offset: number, epoch: number, after: number | undefined): JournalRecord | undefined {
  const header = peekHeader(bytes, offset);
  if (header?.epoch !== epoch) {
    return undefined;
  }
  if (after !== undefined && (header.sequence <= after || header.sequence > after + FARTHEST)) {
    return undefined;
  }
  return decodeRecord(bytes, offset);
}

/** Those that follow each other without a gap. */
function recordsFrom(bytes: Buffer, from: number, end: number, epoch: number, before?: JournalRecord): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (let offset = from; offset < end;) {
    const record = recordAt(bytes, offset, epoch, (records.at(-1) ?? before)?.sequence);
    if (!record) {
      break;
    }
    records.push(record);
    offset += record.length;
  }
  return records;
}

function endOfLast(records: readonly JournalRecord[]): number {
  const last = records.at(-1);
  return last ? last.offset + last.length : 0;
}

/** Zeros are written ahead of the records. */
function endOf(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) {
    end--;
  }
  return end;
}

/** Whether what stands at a place, before the next record if there is one, can be a part of a write: its end or some of its sectors are missing. */
function isCutOff(bytes: Buffer, offset: number, next: number | undefined, epoch: number): boolean {
  const header = peekHeader(bytes, offset);
  const claimed = header?.epoch === epoch ? offset + header.length : endOf(bytes);
  const end = Math.min(claimed, next ?? Infinity);
  if (header === undefined || end - offset <= HEADER_BYTES || end > bytes.length || bytes[end - 1] === 0) {
    return true;
  }
  for (let from = offset; from < end;) {
    const to = Math.min(end, from + SECTOR_BYTES - (from % SECTOR_BYTES));
    if (to - from >= HOLE_BYTES && bytes.subarray(from, to).every((byte) => byte === 0)) {
      return true;
    }
    from = to;
  }
  return false;
}
