/** The journal's files: reading what earlier owners left, and the writing end of the one that is ours. */
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { siblingModule } from '../base/siblingModule.ts';
import { parseEvent, type SquadEvent } from '../domain/events.ts';
import { LedgerClosedError, messageOf, StorageError } from '../domain/errors.ts';
import { decodeRecord, type JournalRecord } from './journalRecord.ts';

export interface JournalThreadData {
  readonly file: string;
  /** The link that the next owner would make; its presence ends this journal. */
  readonly laterOwner: string;
}
export type JournalThreadRequest = { type: 'append'; bytes: Uint8Array; lastSequence: number } | { type: 'close' };
export type JournalThreadReply = { type: 'durable'; sequence: number } | { type: 'failed'; message: string };

/** Where a record lies; `JournalHistory` and the ledger keep one per sequence. */
export interface RecordPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export interface JournalHistory {
  /** In order of sequence, from 1 without gaps. */
  readonly events: SquadEvent[];
  readonly places: RecordPlace[];
  readonly lastEpoch: number;
  readonly lastSequence: number;
  readonly lastCrc: number;
  /** Sentences for the person about records that could not be read; nothing was changed on disk. */
  readonly damage: string[];
}

interface ReadRecord extends JournalRecord {
  readonly file: string;
}

const FILE_NAME = /^journal\.(\d+)\.(\d+)$/;

/**
 * Reads every journal file of a storage folder. An owner's first record says where it took over, so records that an
 * earlier owner wrote beyond that point are passed over. Reading ends at the first record that is torn or missing.
 */
export async function readJournal(storage: string): Promise<JournalHistory> {
  const records: ReadRecord[] = [];
  const damage: string[] = [];
  let epoch = 0;
  for (const file of await journalFiles(storage)) {
    const fresh = await readRecords(path.join(storage, file.name));
    const opening = file.epoch === epoch ? undefined : fresh[0];
    if (file.epoch !== epoch && !opening) {
      // Its owner died before its first record was whole; nothing was acknowledged.
      continue;
    }
    if (opening) {
      const taken = takenOver(records, opening);
      if (taken === undefined) {
        damage.push(
          `${file.name} continues from an event that cannot be read; DevSquad goes on from event ${records.length}. Nothing was deleted.`,
        );
        continue;
      }
      records.length = taken;
      // A later owner went on from here, so its person was told already.
      damage.length = 0;
    }
    epoch = file.epoch;
    for (const record of fresh) {
      if (record.sequence !== records.length + 1 || record.epoch !== epoch) {
        damage.push(`${file.name} has a gap after event ${records.length}; what is behind it was left alone.`);
        break;
      }
      records.push(record);
    }
  }
  const last = records.at(-1);
  return {
    events: records.map((record) => parseRecord(record)),
    places: records.map(({ file, offset, length }) => ({ file, offset, length })),
    lastEpoch: last?.epoch ?? 0,
    lastSequence: last?.sequence ?? 0,
    lastCrc: last?.crc ?? 0,
    damage,
  };
}

/** How many records the new owner had read when it took over; undefined when that point is not there. */
function takenOver(records: readonly ReadRecord[], opening: ReadRecord): number | undefined {
  const event = parseRecord(opening);
  if (event.type !== 'ledger-opened' || event.lastSequence > records.length) {
    return undefined;
  }
  const crc = event.lastSequence === 0 ? 0 : records[event.lastSequence - 1]?.crc;
  return crc === event.lastCrc ? event.lastSequence : undefined;
}

function parseRecord(record: ReadRecord): SquadEvent {
  try {
    return parseEvent(JSON.parse(record.json));
  } catch (cause) {
    throw new StorageError(
      `Event ${record.sequence} in ${path.basename(record.file)} has a shape this version does not know. A newer DevSquad may have written it; update, and nothing is lost.`,
      { cause },
    );
  }
}

async function journalFiles(storage: string): Promise<{ name: string; epoch: number; part: number }[]> {
  const names = await readdir(storage).catch((error: unknown) => {
    if (isMissing(error)) {
      return [];
    }
    throw new StorageError(`The storage folder cannot be read: ${messageOf(error)}`, { cause: error });
  });
  return names
    .flatMap((name) => {
      const match = FILE_NAME.exec(name);
      return match ? [{ name, epoch: Number(match[1]), part: Number(match[2]) }] : [];
    })
    .sort((a, b) => a.epoch - b.epoch || a.part - b.part);
}

async function readRecords(file: string): Promise<ReadRecord[]> {
  const bytes = await readFile(file);
  const records: ReadRecord[] = [];
  let offset = 0;
  for (let record = decodeRecord(bytes, 0); record; record = decodeRecord(bytes, offset)) {
    records.push({ ...record, file });
    offset += record.length;
  }
  return records;
}

/** Reads one event again. Rejects with a StorageError when its bytes changed since. */
export async function readEventAt(place: RecordPlace): Promise<SquadEvent> {
  const handle = await open(place.file, 'r');
  try {
    const bytes = Buffer.alloc(place.length);
    await handle.read(bytes, 0, place.length, place.offset);
    const record = decodeRecord(bytes, 0);
    if (!record) {
      throw new StorageError(`A record of ${path.basename(place.file)} has changed on disk and cannot be trusted.`);
    }
    return parseRecord({ ...record, file: place.file });
  } finally {
    await handle.close();
  }
}

/** The writing end. `onDurable` and `onFailed` are called from the thread's replies; `onFailed` once. */
export class JournalWriter {
  readonly file: string;
  private readonly worker: Worker;
  private over = false;
  /** Bytes handed over so far: where the next record will begin. */
  private length = 0;

  private constructor(
    file: string,
    laterOwner: string,
    onDurable: (sequence: number) => void,
    onFailed: (error: Error) => void,
  ) {
    this.file = file;
    const data: JournalThreadData = { file, laterOwner };
    this.worker = new Worker(siblingModule(import.meta.url, 'journalThread'), { workerData: data, name: 'journal' });
    const fail = (reason: string): void => {
      if (!this.over) {
        this.over = true;
        onFailed(new LedgerClosedError(`The journal cannot be written: ${reason}. What was acknowledged is safe.`));
      }
    };
    this.worker.on('message', (reply: JournalThreadReply) => {
      if (reply.type === 'failed') {
        fail(reply.message);
      } else if (!this.over) {
        onDurable(reply.sequence);
      }
    });
    this.worker.on('error', (error) => {
      fail(messageOf(error));
    });
    this.worker.on('exit', () => {
      fail('its thread ended');
    });
  }

  static async open(
    options: { storage: string; epoch: number; laterOwner: string },
    onDurable: (sequence: number) => void,
    onFailed: (error: Error) => void,
  ): Promise<JournalWriter> {
    await mkdir(options.storage, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
      throw new StorageError(`The storage folder cannot be made: ${messageOf(cause)}`, { cause });
    });
    const file = path.join(options.storage, `journal.${options.epoch}.1`);
    return new JournalWriter(file, options.laterOwner, onDurable, onFailed);
  }

  /** Queues one or more whole records; answers where the first of them will lie. */
  append(bytes: Uint8Array, lastSequence: number): number {
    const offset = this.length;
    this.length += bytes.length;
    this.post({ type: 'append', bytes, lastSequence });
    return offset;
  }

  /** Writes what is queued and ends the thread. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) =>
      this.worker.once('exit', () => {
        resolve();
      }),
    );
    this.post({ type: 'close' });
    await ended;
  }

  private post(request: JournalThreadRequest): void {
    this.worker.postMessage(request);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
