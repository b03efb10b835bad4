/**
 * One record of a journal file: a header of 20 bytes, then the event as JSON.
 *
 *   continues 1 bit, length of the JSON 31 bits | CRC u32 | epoch u32 | sequence u64 | JSON (UTF-8)
 *
 * The CRC covers everything behind itself, so a flipped bit in the epoch or the sequence is seen like one in the event. The
 * first bit says that the record went to the disk together with the one before it: of a write that was cut off any part may
 * be there, but whatever is found of a later write says that this one was whole.
 */
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 20;
const CRC_COVERS_FROM = 8;
const CONTINUES = 0x80;
const LENGTH = 0x7fffffff;
/** A longer record can only be damage: bodies are bounded long before. */
const LONGEST_JSON = 256 * 1024 * 1024;

export interface JournalRecord {
  readonly sequence: number;
  readonly epoch: number;
  readonly crc: number;
  /** Whether it was written together with the record before it. */
  readonly continues: boolean;
  /** The event as JSON; a view on the bytes that were decoded. */
  readonly json: Buffer;
  /** Where the record begins in its file, and its length with the header. */
  readonly offset: number;
  readonly length: number;
}

/** Records are cut from blocks of that size, which costs less than memory for each. */
const BLOCK_BYTES = 64 * 1024;
let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
let used = 0;

/** A record without its checksum, which `commitOf` fills in. */
export function encodeRecord(sequence: number, epoch: number, json: string): Buffer<ArrayBuffer> {
  const record = withHeader(json);
  record.writeUInt32BE(record.length - HEADER_BYTES, 0);
  record.writeUInt32BE(epoch, 8);
  // In two halves: a BigInt costs more than all the rest of the header.
  record.writeUInt32BE(Math.floor(sequence / 2 ** 32), 12);
  record.writeUInt32BE(sequence >>> 0, 16);
  return record;
}

function withHeader(json: string): Buffer<ArrayBuffer> {
  // A character takes three bytes at most, so a short text need not be counted.
  if (HEADER_BYTES + json.length * 3 > BLOCK_BYTES) {
    const record = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(json));
    record.write(json, HEADER_BYTES);
    return record;
  }
  if (used + HEADER_BYTES + json.length * 3 > BLOCK_BYTES) {
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    used = 0;
  }
  const start = used;
  used += HEADER_BYTES;
  used += block.write(json, used);
  return block.subarray(start, used);
}

/**
 * What goes to the disk in one write: whole records with their checksums, all but the first of which say that they continue.
 * A single part is changed in place.
 */
export function commitOf(parts: readonly Uint8Array<ArrayBuffer>[]): Buffer<ArrayBuffer> {
  const [first] = parts;
  const bytes =
    first && parts.length === 1 ? Buffer.from(first.buffer, first.byteOffset, first.byteLength) : Buffer.concat(parts);
  for (let offset = 0; offset < bytes.length;) {
    const end = offset + HEADER_BYTES + (bytes.readUInt32BE(offset) & LENGTH);
    bytes.writeUInt32BE(crc32(bytes.subarray(offset + CRC_COVERS_FROM, end)), offset + 4);
    if (offset > 0) {
      bytes.writeUInt8(bytes.readUInt8(offset) | CONTINUES, offset);
    }
    offset = end;
  }
  return bytes;
}

/** What a header says, unchecked; undefined where the bytes end before it does. */
export function peekHeader(
  bytes: Buffer,
  offset: number,
): { sequence: number; epoch: number; length: number } | undefined {
  return offset + HEADER_BYTES > bytes.length
    ? undefined
    : {
        sequence: Number(bytes.readBigUInt64BE(offset + 12)),
        epoch: bytes.readUInt32BE(offset + 8),
        length: HEADER_BYTES + (bytes.readUInt32BE(offset) & LENGTH),
      };
}

/** The record at `offset`, or undefined where the bytes end, are torn or do not match their checksum. */
export function decodeRecord(bytes: Buffer, offset: number): JournalRecord | undefined {
  if (offset + HEADER_BYTES > bytes.length) {
    return undefined;
  }
  const body = bytes.readUInt32BE(offset) & LENGTH;
  const end = offset + HEADER_BYTES + body;
  if (body > LONGEST_JSON || end > bytes.length) {
    return undefined;
  }
  const crc = bytes.readUInt32BE(offset + 4);
  if (crc !== crc32(bytes.subarray(offset + CRC_COVERS_FROM, end))) {
    return undefined;
  }
  return {
    sequence: Number(bytes.readBigUInt64BE(offset + 12)),
    epoch: bytes.readUInt32BE(offset + 8),
    crc,
    continues: (bytes.readUInt8(offset) & CONTINUES) !== 0,
    json: bytes.subarray(offset + HEADER_BYTES, end),
    offset,
    length: end - offset,
  };
}
