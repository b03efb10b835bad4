/** All events that a storage folder still has, for whoever goes through them from the beginning. */
import type { SquadEvent } from '../domain/events.ts';
import { Archives } from './archive.ts';
import { systemFiles } from './files.ts';
import { readHistory } from './history.ts';
import { EventReader } from './recordEvents.ts';
import { RecordIndex } from './recordIndex.ts';

export interface JournalEvents {
  /** In order of sequence; from 1 without gaps as long as nothing was deleted because nobody needed it. */
  readonly events: SquadEvent[];
  readonly lastSequence: number;
  /** Sentences about what could not be read; nothing was changed on disk. */
  readonly damage: string[];
}

/** Rejects with a StorageError when a file cannot be read or is of a newer version. */
export async function readJournal(storage: string): Promise<JournalEvents> {
  const { reigns, position, damage } = await readHistory(systemFiles, storage);
  const reader = new EventReader(systemFiles, storage);
  const index = new RecordIndex(systemFiles, storage, reader, reigns);
  const archives = new Archives(systemFiles, storage, reader);
  const events: SquadEvent[] = [];
  for (let sequence = 1; sequence <= position.sequence; sequence++) {
    const event = index.read(sequence) ?? archives.read(sequence);
    if (event) {
      events.push(event);
    }
  }
  return { events, lastSequence: position.sequence, damage: damage.map(({ finding }) => `${finding}.`) };
}
