/**
 * One compressed file of events that are over, so that their segments of the journal can go. Records stand in blocks that
 * are inflated one by one, and an index behind them says which block has which event.
 *
 *   magic 8 bytes | blocks, each a deflated run of records | index, deflated JSON | length of the index u32 | its CRC u32
 *
 * A record is the journal's, with the whole event in it, and has its own checksum.
 */
import path from 'node:path';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { messageOf, StorageError } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import { codeOf, type Files } from './files.ts';
import { decodeRecord } from './journalRecord.ts';
import type { EventReader } from './recordEvents.ts';
import { listArchives, writeFile, type ArchiveName } from './storageFolder.ts';

const MAGIC = Buffer.from('DEVSQARC');
const TAIL_BYTES = 8;
/** Before compression; what is read for one event. */
const BLOCK_BYTES = 256 * 1024;

interface Block {
  readonly offset: number;
  readonly length: number;
  readonly sequences: readonly number[];
}

export interface ArchivedRecord {
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** Writes whole records, in order of sequence. Throws the system's errors. */
export function writeArchive(files: Files, folder: string, name: string, records: Iterable<ArchivedRecord>): void {
  const parts: Uint8Array[] = [MAGIC];
  const blocks: Block[] = [];
  let offset = MAGIC.length;
  let [pending, sequences, size]: [Uint8Array[], number[], number] = [[], [], 0];
  const endBlock = (): void => {
    const bytes = deflateRawSync(Buffer.concat(pending));
    parts.push(bytes);
    blocks.push({ offset, length: bytes.length, sequences });
    offset += bytes.length;
    [pending, sequences, size] = [[], [], 0];
  };
  for (const { sequence, bytes } of records) {
    pending.push(bytes);
    sequences.push(sequence);
    size += bytes.length;
    if (size >= BLOCK_BYTES) {
      endBlock();
    }
  }
  if (size > 0) {
    endBlock();
  }
  const index = deflateRawSync(JSON.stringify(blocks));
  const tail = Buffer.alloc(TAIL_BYTES);
  tail.writeUInt32BE(index.length, 0);
  tail.writeUInt32BE(crc32(index), 4);
  writeFile(files, folder, name, [...parts, index, tail]);
}

/** All records of an archive, in order. Throws a StorageError when it has changed. */
export function recordsIn(files: Files, file: string): ArchivedRecord[] {
  return readIndex(files, file).flatMap((block) => {
    const bytes = inflateBlock(files, file, block);
    const records: ArchivedRecord[] = [];
    let offset = 0;
    for (let record = decodeRecord(bytes, 0); record; record = decodeRecord(bytes, offset)) {
      records.push({ sequence: record.sequence, bytes: bytes.subarray(offset, offset + record.length) });
      offset += record.length;
    }
    return records;
  });
}

function readIndex(files: Files, file: string): Block[] {
  const size = files.size(file);
  const tail = files.read(file, Math.max(0, size - TAIL_BYTES), TAIL_BYTES);
  const length = tail.length === TAIL_BYTES ? tail.readUInt32BE(0) : size;
  const end = size - TAIL_BYTES;
  // Of zeros in its place, the checksum would be right.
  const index = length === 0 || length > end ? undefined : files.read(file, end - length, length);
  if (!index || crc32(index) !== tail.readUInt32BE(4)) {
    throw new StorageError(`The archive ${path.basename(file)} has changed on disk and cannot be trusted.`);
  }
  // The checksum says that it is what `writeArchive` wrote.
  return JSON.parse(inflateRawSync(index).toString()) as Block[];
}

/** Finds events in the archives of a storage folder, which others write and delete meanwhile. */
export class Archives {
  private readonly files: Files;
  private readonly folder: string;
  private readonly reader: EventReader;
  private names: readonly ArchiveName[] = [];
  private readonly indexes = new Map<string, readonly Block[]>();
  /** The block read last: whoever reads one event often reads the next. */
  private inflated: { readonly block: Block; readonly bytes: Buffer } | undefined;

  constructor(files: Files, folder: string, reader: EventReader) {
    this.files = files;
    this.folder = folder;
    this.reader = reader;
  }

  /** Undefined where no archive has it. Throws a StorageError when an archive that should have it cannot be read. */
  read(sequence: number): SquadEvent | undefined {
    return this.find(sequence) ?? (this.listAgain() ? this.find(sequence) : undefined);
  }

  private find(sequence: number): SquadEvent | undefined {
    for (const { name, first, last } of this.names) {
      const file = path.join(this.folder, name);
      const event = first <= sequence && sequence <= last ? this.readFrom(file, sequence) : undefined;
      if (event) {
        return event;
      }
    }
    return undefined;
  }

  private readFrom(file: string, sequence: number): SquadEvent | undefined {
    try {
      const block = this.indexOf(file).find(({ sequences }) => sequences.includes(sequence));
      return block && this.readIn(file, block, sequence);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(causeOf(error)) === 'ENOENT') {
        // Deleted meanwhile.
        return undefined;
      }
      throw error;
    }
  }

  /** Whether there is another archive than before. */
  private listAgain(): boolean {
    const before = this.names.map(({ name }) => name).join();
    this.names = listArchives(this.files, this.folder);
    return this.names.map(({ name }) => name).join() !== before;
  }

  private indexOf(file: string): readonly Block[] {
    const known = this.indexes.get(file) ?? readIndex(this.files, file);
    this.indexes.set(file, known);
    return known;
  }

  private readIn(file: string, block: Block, sequence: number): SquadEvent {
    const bytes = this.inflate(file, block);
    let offset = 0;
    for (let record = decodeRecord(bytes, 0); record; record = decodeRecord(bytes, offset)) {
      if (record.sequence === sequence) {
        return this.reader.event(record, path.basename(file));
      }
      offset += record.length;
    }
    throw new StorageError(
      `Event ${sequence} in the archive ${path.basename(file)} has changed on disk and cannot be trusted.`,
    );
  }

  private inflate(file: string, block: Block): Buffer {
    if (this.inflated?.block !== block) {
      this.inflated = { block, bytes: inflateBlock(this.files, file, block) };
    }
    return this.inflated.bytes;
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function inflateBlock(files: Files, file: string, { offset, length }: Block): Buffer {
  try {
    return inflateRawSync(files.read(file, offset, length));
  } catch (cause) {
    throw new StorageError(`The archive ${path.basename(file)} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
