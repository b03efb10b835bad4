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

export function scanSegment(bytes: Buffer, epoch: number): SegmentScan {
  const records: JournalRecord[] = [];
  let fault: SegmentScan['fault'];
  for (let offset = 0; offset < bytes.length;) {
    const last = records.at(-1);
    const record = recordAt(bytes, offset, epoch, last?.sequence);
    if (record) {
      records.push(record);
      offset += record.length;
      continue;
    }
    const next = nextRecord(bytes, offset + 1, epoch, last?.sequence);
    fault ??= { offset, kind: next === undefined && isCutOff(bytes, offset) ? 'torn' : 'damaged' };
    if (next === undefined) {
      break;
    }
    offset = next;
  }
  return { records, fault };
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

/** Whether the rest of a file can be the beginning of a record that was not written to its end. */
function isCutOff(bytes: Buffer, offset: number): boolean {
  const header = peekHeader(bytes, offset);
  return header === undefined || offset + header.length > bytes.length;
}
