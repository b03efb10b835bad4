/** From a record of the journal to the event it holds. */
import { type SquadEvent, EVENT_VERSION, parseEvent } from '../domain/events.ts';
import { StorageError } from '../domain/errors.ts';
import type { JournalRecord } from './journalRecord.ts';

/** `file` is for the sentence. Throws a StorageError when this version does not know the event's shape. */
export function eventOf(record: Pick<JournalRecord, 'sequence' | 'json'>, file: string): SquadEvent {
  const value = parseJson(record, file);
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

function parseJson({ sequence, json }: Pick<JournalRecord, 'sequence' | 'json'>, file: string): unknown {
  try {
    return JSON.parse(json.toString());
  } catch (cause) {
    throw new StorageError(`Event ${sequence} in ${file} cannot be read.`, { cause });
  }
}

function isNewer(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    typeof value.version === 'number' &&
    value.version > EVENT_VERSION
  );
}
