/**
 * An image of the living state: what a start reads instead of the events that made it. A header of 56 bytes, then JSON.
 *
 *   magic 8 bytes | format u32 | state version u32 | epoch u32 | CRC of the last record u32 | last sequence u64 |
 *   length of the JSON u64 | CRC of the JSON u32 | CRC of the header so far u32 | zeros
 */
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf } from '../domain/errors.ts';
import { STATE_VERSION, type SquadState } from '../domain/squadState.ts';
import { STATE_UPCASTS, upcast, type Upcasts } from '../domain/upcasts/upcast.ts';
import type { Files } from './files.ts';
import type { Position, Reign } from './journalChain.ts';
import { imageName, writeFile, type ImageName } from './storageFolder.ts';

const MAGIC = Buffer.from('DEVSQUAD');
const FORMAT = 1;
const HEADER_BYTES = 56;
const HEADER_CRC_AT = 44;

export interface StateImage {
  readonly state: SquadState;
  /** Where the image stands in the journal. */
  readonly position: Position;
  /** Owners up to there whose records may still be asked for. */
  readonly reigns: readonly Reign[];
}

export type ReadImage =
  | { readonly kind: 'good'; readonly image: StateImage; readonly bytes: number }
  /** `why` goes into “state.1.7 cannot be used: …”. */
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'newer' }
  /** Whole, but of an older shape that nothing brings to today's. */
  | { readonly kind: 'old' };

/** Replaces nothing: an image is written under another name first. Answers its size in bytes. Throws the system's errors. */
export function writeImage(files: Files, folder: string, image: StateImage): number {
  const { epoch, sequence, crc } = image.position;
  const body = Buffer.from(JSON.stringify({ reigns: image.reigns, state: image.state }));
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32BE(FORMAT, 8);
  header.writeUInt32BE(STATE_VERSION, 12);
  header.writeUInt32BE(epoch, 16);
  header.writeUInt32BE(crc, 20);
  header.writeBigUInt64BE(BigInt(sequence), 24);
  header.writeBigUInt64BE(BigInt(body.length), 32);
  header.writeUInt32BE(crc32(body), 40);
  header.writeUInt32BE(crc32(header.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  writeFile(files, folder, imageName(epoch, sequence), [header, body]);
  return header.length + body.length;
}

/** Whether an image holds the state as this version knows it. */
export function isOfThisShape(files: Files, folder: string, { name }: ImageName): boolean {
  const header = files.read(path.join(folder, name), 0, HEADER_BYTES);
  return header.length === HEADER_BYTES && header.readUInt32BE(12) === STATE_VERSION;
}

/** Never throws for what stands in the file, nor when it cannot be read. */
export function readImage(
  files: Files,
  folder: string,
  { name, epoch, sequence }: ImageName,
  steps: Upcasts = STATE_UPCASTS,
): ReadImage {
  let bytes: Buffer;
  try {
    bytes = files.read(path.join(folder, name));
  } catch (error) {
    return damaged(messageOf(error));
  }
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return damaged('it is no image of a squad');
  }
  if (bytes.readUInt32BE(HEADER_CRC_AT) !== crc32(bytes.subarray(0, HEADER_CRC_AT))) {
    return damaged('its beginning has changed');
  }
  const stateVersion = bytes.readUInt32BE(12);
  if (bytes.readUInt32BE(8) > FORMAT || stateVersion > STATE_VERSION) {
    return { kind: 'newer' };
  }
  const position = {
    epoch: bytes.readUInt32BE(16),
    crc: bytes.readUInt32BE(20),
    sequence: Number(bytes.readBigUInt64BE(24)),
  };
  const body = bytes.subarray(HEADER_BYTES);
  if (position.epoch !== epoch || position.sequence !== sequence) {
    return damaged('it holds the image of another moment');
  }
  if (body.length !== Number(bytes.readBigUInt64BE(32)) || crc32(body) !== bytes.readUInt32BE(40)) {
    return damaged('its content has changed');
  }
  // The checksum says that it is what `writeImage` wrote.
  const { reigns, state } = JSON.parse(body.toString()) as { reigns: Reign[]; state: unknown };
  const current = upcast(state, stateVersion, STATE_VERSION, steps);
  return current
    ? { kind: 'good', image: { state: current.value as SquadState, position, reigns }, bytes: bytes.length }
    : { kind: 'old' };
}

function damaged(why: string): ReadImage {
  return { kind: 'damaged', why };
}
