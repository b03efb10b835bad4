/**
 * From an event to its record and back. An event that is longer than a record may be is a blob: a file of its own, named by
 * its content's SHA-256, and the record has the envelope and that name.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { messageOf, StorageError } from '../domain/errors.ts';
import { EVENT_VERSION, parseEvent, type SquadEvent } from '../domain/events.ts';
import type { WrittenEvent } from '../ports.ts';
import { codeOf, type Files } from './files.ts';
import { encodeRecord, HEADER_BYTES, type JournalRecord } from './journalRecord.ts';
import { BLOBS } from './storageFolder.ts';

export interface Blob {
  readonly name: string;
  readonly bytes: Buffer<ArrayBuffer>;
}

type Stored = Pick<JournalRecord, 'sequence' | 'json'>;

export interface EncodedEvent extends WrittenEvent {
  readonly record: Buffer<ArrayBuffer>;
  /** There when the event takes more than `blobBytes` as JSON. */
  readonly blob?: Blob;
}

export function encodeEvent(event: SquadEvent, blobBytes: number): EncodedEvent {
  const json = JSON.stringify(event);
  // A character takes three bytes at most, so a short text need not be counted.
  if (json.length * 3 <= blobBytes || Buffer.byteLength(json) <= blobBytes) {
    const record = encodeRecord(event.sequence, event.epoch, json);
    return { sequence: event.sequence, type: event.type, json: record.subarray(HEADER_BYTES), record };
  }
  const bytes = Buffer.from(json);
  const name = sha256Of(bytes);
  const { version, sequence, epoch, at, runId, taskId, attempt, actor, causedBy, decisionId, input, type } = event;
  const envelope = { version, sequence, epoch, at, runId, taskId, attempt, actor, causedBy, decisionId, input, type };
  const record = encodeRecord(sequence, epoch, JSON.stringify({ blob: name, ...envelope }));
  return { sequence, type, json: bytes, record, blob: { name, bytes } };
}

/** No event begins like this: the ledger stamps it with its version first. */
const BLOB_RECORD = /^\{"blob":"([0-9a-f]{64})"/;
const BLOB_RECORD_BYTES = 80;

function blobOf({ json }: Stored): string | undefined {
  return BLOB_RECORD.exec(json.toString('latin1', 0, BLOB_RECORD_BYTES))?.[1];
}

/** What a record says by itself: whose it is, and the blob that holds the rest. */
export interface RecordSubject {
  readonly type: string;
  readonly runId: string | undefined;
  readonly blob: string | undefined;
}

export function subjectOf(record: Stored, file: string): RecordSubject {
  const { type, runId } = parseJson(record, file);
  return {
    type: typeof type === 'string' ? type : '',
    runId: typeof runId === 'string' ? runId : undefined,
    blob: blobOf(record),
  };
}

/** Reads the events of one storage folder. `file` is for sentences. */
export class EventReader {
  private readonly files: Files;
  private readonly folder: string;

  constructor(files: Files, folder: string) {
    this.files = files;
    this.folder = folder;
  }

  /** Throws a StorageError when this version does not know the event's shape, or its blob is not what was written. */
  event(record: Stored, file: string): SquadEvent {
    const value = parseJson({ ...record, json: this.json(record, file) }, file);
    try {
      return parseEvent(value);
    } catch (cause) {
      throw new StorageError(
        isNewer(value)
          ? `${file} was written by a newer DevSquad. Update this one, and nothing is lost; nothing was changed.`
          : `Event ${record.sequence} in ${file} has a shape this version does not know. Nothing was changed.`,
        { cause },
      );
    }
  }

  /** The same for an event that this very build wrote, whose shape its own compiler has checked. */
  ownEvent(record: Stored, file: string): SquadEvent {
    return parseJson({ ...record, json: this.json(record, file) }, file) as unknown as SquadEvent;
  }

  /** The whole event as JSON. */
  json(record: Stored, file: string): Buffer {
    const blob = blobOf(record);
    return blob === undefined ? record.json : this.blob(blob, record, file);
  }

  /** The blob that a record needs and that is not what was written, or not there; its name in the storage folder. */
  damagedBlob(record: Stored): string | undefined {
    const name = blobOf(record);
    const file = name === undefined ? undefined : path.join(BLOBS, name);
    return file !== undefined && sha256Of(this.readIfThere(file)) !== name ? file : undefined;
  }

  /** Nothing where there is no file. Throws a StorageError when the disk does not give it. */
  private readIfThere(file: string): Buffer {
    try {
      return this.files.read(path.join(this.folder, file));
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') {
        return Buffer.alloc(0);
      }
      throw new StorageError(`${file} cannot be read: ${messageOf(cause)}. Nothing was changed.`, { cause });
    }
  }

  private blob(name: string, { sequence }: Stored, file: string): Buffer {
    let bytes: Buffer;
    try {
      bytes = this.files.read(path.join(this.folder, BLOBS, name));
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT' && !this.files.exists(path.join(this.folder, file))) {
        // Deleted together, because nobody needed them any more.
        throw cause;
      }
      throw new StorageError(`The body of event ${sequence} cannot be read: ${messageOf(cause)}`, { cause });
    }
    if (sha256Of(bytes) !== name) {
      throw new StorageError(`The body of event ${sequence} has changed on disk and cannot be trusted.`);
    }
    return bytes;
  }
}

function parseJson({ sequence, json }: Stored, file: string): Record<string, unknown> {
  try {
    // `encodeEvent` wrote an object, and the checksum says that it is still that.
    return JSON.parse(json.toString()) as Record<string, unknown>;
  } catch (cause) {
    throw new StorageError(`Event ${sequence} in ${file} cannot be read.`, { cause });
  }
}

function isNewer({ version }: Record<string, unknown>): boolean {
  return typeof version === 'number' && version > EVENT_VERSION;
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
