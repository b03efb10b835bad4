/**
 * Keeps the storage folder from growing: archives runs that are over, deletes segments that nobody needs, and the oldest
 * archives. What is deleted was made durable elsewhere before; stopped in the middle, it goes on the next time.
 */
import path from 'node:path';
import { StorageError } from '../domain/errors.ts';
import type { SquadState } from '../domain/squadState.ts';
import { ARCHIVE, BLOBS, archiveName, type ArchiveName, listArchives, listStorage } from './storageFolder.ts';
import { type ArchivedRecord, recordsIn, writeArchive } from './archive.ts';
import { codeOf, type Files } from './files.ts';
import type { Reign } from './journalChain.ts';
import { commitOf, encodeRecord, type JournalRecord } from './journalRecord.ts';
import type { LedgerLimits } from './limits.ts';
import { isOfThisShape } from './stateImage.ts';
import { EventReader } from './recordEvents.ts';
import { type SegmentFacts, SegmentSurvey } from './segmentSurvey.ts';

/** Generations of images that are kept: where one is damaged, the one before it and the journal behind that are used. */
export const GENERATIONS = 3;

export interface HousekeepingOptions {
  readonly files: Files;
  readonly storage: string;
  readonly limits: LedgerLimits;
  /** Throws once a later owner has the squad: nothing more may be deleted in this one's name. */
  readonly assertOwner: () => void;
  /** Blobs that were there before this owner wrote anything. */
  readonly oldBlobs: readonly string[];
}

export class Housekeeping {
  private readonly o: HousekeepingOptions;
  private readonly survey: SegmentSurvey;
  private readonly reader: EventReader;
  /** Blobs that may have been left without a record by a crash. */
  private unnamed: readonly string[];

  constructor(options: HousekeepingOptions) {
    this.o = options;
    this.survey = new SegmentSurvey(options.files, options.storage);
    this.reader = new EventReader(options.files, options.storage);
    this.unnamed = options.oldBlobs;
  }

  /** To be called when an image of that state is on disk. Throws the system's errors. */
  tidy(state: SquadState, reigns: readonly Reign[]): void {
    this.forgetOldImages();
    const segments = this.survey.look(reigns, state.sequence);
    this.archiveRuns(segments, state);
    const gone = this.done(segments, state);
    const kept = segments.filter((segment) => !gone.includes(segment));
    if (gone.length > 0) {
      this.archiveStanding(gone);
      this.deleteSegments(gone);
    }
    this.deleteUnnamedBlobs(segments);
    this.deleteOldArchives(kept);
  }

  private forgetOldImages(): void {
    const { images } = listStorage(this.o.files, this.o.storage);
    this.remove(images.slice(GENERATIONS).map(({ name }) => name));
  }

  /** Every run that is over and has no archive gets one, of all its records. */
  private archiveRuns(segments: readonly SegmentFacts[], state: SquadState): void {
    const archived = this.archivedRuns();
    const over = new Set(segments.flatMap(({ runs }) => [...runs.keys()]));
    for (const runId of over) {
      if (!Object.hasOwn(state.runs, runId) && !archived.has(runId)) {
        const records = segments.flatMap((segment) => this.whole(segment, segment.runs.get(runId) ?? []));
        this.write(runId, records);
      }
    }
  }

  /**
   * Segments that nobody needs: three images and the tables are past them, and each of their runs is archived, which also
   * means that no living body stands in them. Images of another shape of the state do not count.
   */
  private done(segments: readonly SegmentFacts[], state: SquadState): SegmentFacts[] {
    const { files, storage } = this.o;
    const images = listStorage(files, storage).images.filter((image) => isOfThisShape(files, storage, image));
    const oldest = images.length < GENERATIONS ? 0 : Math.min(...images.map(({ sequence }) => sequence));
    const passed = Math.min(oldest, this.tablesSequence());
    const archived = this.archivedRuns();
    return segments.filter(
      ({ isFull, isStrange, last, runs }) =>
        isFull &&
        !isStrange &&
        last <= passed &&
        [...runs.keys()].every((runId) => !Object.hasOwn(state.runs, runId) && archived.has(runId)),
    );
  }

  /** Events of no run, such as the coming of an agent: the tables are made anew from them some day. */
  private archiveStanding(gone: readonly SegmentFacts[]): void {
    const before = listArchives(this.o.files, this.o.storage).filter(({ runId }) => runId === undefined);
    const fresh = gone.flatMap((segment) => this.whole(segment, segment.standing));
    if (fresh.length === 0) {
      return;
    }
    const readable = before.flatMap((archive) => this.readStanding(archive));
    const records = new Map(
      [...readable.flatMap(({ records: old }) => old), ...fresh].map((each) => [each.sequence, each]),
    );
    const written = this.write(undefined, [...records.values()]);
    this.remove(readable.map(({ archive }) => archive.name).filter((name) => name !== written));
  }

  /** Nothing where it has changed on disk: then it stays as it is, beside the new one. */
  private readStanding(archive: ArchiveName): { archive: ArchiveName; records: ArchivedRecord[] }[] {
    try {
      return [{ archive, records: recordsIn(this.o.files, path.join(this.o.storage, archive.name)) }];
    } catch (error) {
      if (error instanceof StorageError) {
        return [];
      }
      throw error;
    }
  }

  private deleteSegments(gone: readonly SegmentFacts[]): void {
    const { files, storage } = this.o;
    // The images that are past them must be there for sure.
    files.syncFolder(storage);
    this.remove(gone.map(({ name }) => name));
    files.syncFolder(storage);
    this.remove(gone.flatMap(({ blobs }) => blobs.map((name) => path.join(BLOBS, name))));
    for (const { name } of gone) {
      this.survey.forget(name);
    }
  }

  private deleteUnnamedBlobs(segments: readonly SegmentFacts[]): void {
    if (segments.some(({ isStrange }) => isStrange)) {
      // It may name some of them.
      return;
    }
    const named = new Set(segments.flatMap(({ blobs }) => blobs));
    this.remove(this.unnamed.filter((name) => !named.has(name)).map((name) => path.join(BLOBS, name)));
    this.unnamed = [];
  }

  /** Those of runs that no segment has any more: others would be written again. */
  private deleteOldArchives(segments: readonly SegmentFacts[]): void {
    const { files, storage, limits } = this.o;
    const archives = listArchives(files, storage).filter(({ runId }) => runId !== undefined);
    let count = archives.length;
    const sizes = archives.map(({ name }) => files.size(path.join(storage, name)));
    let bytes = sizes.reduce((sum, size) => sum + size, 0);
    archives.forEach(({ name, runId }, index) => {
      const isOver = count > limits.archivedRuns || bytes > limits.archivedBytes;
      if (isOver && !segments.some(({ runs }) => runs.has(runId ?? ''))) {
        this.remove([name]);
        count--;
        bytes -= sizes[index] ?? 0;
      }
    });
  }

  private whole(segment: SegmentFacts, sequences: readonly number[]): ArchivedRecord[] {
    return this.survey.records(segment, sequences).map((record) => ({
      sequence: record.sequence,
      bytes: this.wholeRecord(record, segment.name),
    }));
  }

  private wholeRecord(record: JournalRecord, file: string): Uint8Array {
    return commitOf([encodeRecord(record.sequence, record.epoch, this.reader.json(record, file).toString())]);
  }

  private write(runId: string | undefined, records: readonly ArchivedRecord[]): string {
    const { files, storage, assertOwner } = this.o;
    assertOwner();
    const folder = path.join(storage, ARCHIVE);
    if (!files.exists(folder)) {
      files.makeFolder(folder);
      files.syncFolder(storage);
    }
    const sequences = records.map(({ sequence }) => sequence);
    const name = archiveName(Math.min(...sequences), Math.max(...sequences), runId);
    writeArchive(files, folder, name, records);
    return path.join(ARCHIVE, name);
  }

  private archivedRuns(): ReadonlySet<string | undefined> {
    return new Set(listArchives(this.o.files, this.o.storage).map(({ runId }) => runId));
  }

  /** Up to where the tables' own image reaches; they are made from the events behind it. */
  private tablesSequence(): number {
    try {
      const described: unknown = JSON.parse(this.o.files.read(path.join(this.o.storage, 'tables.json')).toString());
      return typeof described === 'object' &&
        described !== null &&
        'lastSequence' in described &&
        typeof described.lastSequence === 'number'
        ? described.lastSequence
        : 0;
    } catch {
      return 0;
    }
  }

  private remove(names: readonly string[]): void {
    const { files, storage, assertOwner } = this.o;
    for (const name of names) {
      assertOwner();
      try {
        files.remove(path.join(storage, name));
      } catch (error) {
        // What cannot be looked at may be there: only this answer says that it is not.
        if (codeOf(error) !== 'ENOENT') {
          throw error;
        }
      }
    }
  }
}
