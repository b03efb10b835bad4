/** The names of the ledger's files in a storage folder, and how a damaged one is put aside. */
import path from 'node:path';
import { writeInPieces } from '../base/pieces.ts';
import { messageOf, StorageError } from '../domain/errors.ts';
import { codeOf, writeWhole, type Files } from './files.ts';

export interface SegmentName {
  readonly name: string;
  readonly epoch: number;
  /** From 1. */
  readonly part: number;
}

export interface ImageName {
  readonly name: string;
  readonly epoch: number;
  /** Of the last event in it. */
  readonly sequence: number;
}

const SEGMENT = /^journal\.(\d{1,15})\.(\d{1,15})$/;
const IMAGE = /^state\.(\d{1,15})\.(\d{1,15})$/;
/** Behind the name of a file that is not written to its end; it holds nothing that counts. */
export const UNFINISHED = '.new';

export const segmentName = (epoch: number, part: number): string => `journal.${epoch}.${part}`;
export const imageName = (epoch: number, sequence: number): string => `state.${epoch}.${sequence}`;

export interface StorageListing {
  /** In the order they were written. */
  readonly segments: readonly SegmentName[];
  /** Newest first. */
  readonly images: readonly ImageName[];
}

/** What is there; nothing where there is no folder. Throws a StorageError when it cannot be read. */
export function listStorage(files: Files, folder: string): StorageListing {
  const names = namesIn(files, folder);
  return {
    segments: names
      .flatMap((name) => {
        const match = SEGMENT.exec(name);
        return match ? [{ name, epoch: Number(match[1]), part: Number(match[2]) }] : [];
      })
      .sort((a, b) => a.epoch - b.epoch || a.part - b.part),
    images: names
      .flatMap((name) => {
        const match = IMAGE.exec(name);
        return match ? [{ name, epoch: Number(match[1]), sequence: Number(match[2]) }] : [];
      })
      .sort((a, b) => b.epoch - a.epoch || b.sequence - a.sequence),
  };
}

/** Writes a file that is there whole or not at all, also after a power cut. */
export function writeFile(files: Files, folder: string, name: string, parts: readonly Uint8Array[]): void {
  const unfinished = path.join(folder, name + UNFINISHED);
  if (files.exists(unfinished)) {
    files.remove(unfinished);
  }
  const handle = files.create(unfinished);
  try {
    writeInPieces(parts, {
      write: (piece) => {
        writeWhole(files, handle, piece);
      },
      sync: () => {
        files.sync(handle);
      },
    });
    files.sync(handle);
  } finally {
    files.close(handle);
  }
  files.rename(unfinished, path.join(folder, name));
  files.syncFolder(folder);
}

/** An archive of what is over: a run's events, or those of no run. */
export interface ArchiveName {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Undefined for events of no run. */
  readonly runId: string | undefined;
}

export const BLOBS = 'blobs';
const BLOB_NAME = /^[0-9a-f]{64}(\.new)?$/;
export const ARCHIVE = 'archive';
const ARCHIVE_NAME = /^(\d{1,15})-(\d{1,15})\.(standing|run\.(.+))$/;

export const archiveName = (first: number, last: number, runId: string | undefined): string =>
  `${first}-${last}.${runId === undefined ? 'standing' : `run.${encodeURIComponent(runId)}`}`;

/** Oldest first; names have the folder in front. */
export function listArchives(files: Files, folder: string): ArchiveName[] {
  return namesIn(files, path.join(folder, ARCHIVE))
    .flatMap((name) => {
      const match = name.endsWith(UNFINISHED) || name.includes(DAMAGED) ? null : ARCHIVE_NAME.exec(name);
      const runId = match?.[4] === undefined ? undefined : decodeURIComponent(match[4]);
      return match ? [{ name: path.join(ARCHIVE, name), first: Number(match[1]), last: Number(match[2]), runId }] : [];
    })
    .sort((a, b) => a.last - b.last);
}

/** Images and archives that were not written to their end. */
export function unfinishedFiles(files: Files, folder: string): string[] {
  const unfinished = (name: string, finished: RegExp): boolean =>
    name.endsWith(UNFINISHED) && finished.test(name.slice(0, -UNFINISHED.length));
  return [
    ...namesIn(files, folder).filter((name) => unfinished(name, IMAGE)),
    ...namesIn(files, path.join(folder, ARCHIVE))
      .filter((name) => unfinished(name, ARCHIVE_NAME))
      .map((name) => path.join(ARCHIVE, name)),
  ];
}

/** Names of blobs, also of those that were not written to their end. */
export function listBlobs(files: Files, folder: string): string[] {
  return namesIn(files, path.join(folder, BLOBS)).filter((name) => BLOB_NAME.test(name));
}

function namesIn(files: Files, folder: string): string[] {
  try {
    return files.list(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return [];
    }
    throw new StorageError(`The storage folder cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

const DAMAGED = '.damaged-';

/** Something on disk that cannot be used, found while reading. Reading changes nothing. */
export interface Damage {
  readonly name: string;
  /** Without the full stop, for instance “journal.1.1 is damaged behind event 7”. */
  readonly finding: string;
  /** Whether the beginning of the file is still read from its place; then what is put aside is a second name for it. */
  readonly inUse: boolean;
}

/** Puts what is damaged aside under a name that tells it. Answers sentences for the person. */
export function setAside(files: Files, folder: string, damage: readonly Damage[]): string[] {
  return damage.map(({ name, finding, inUse }) => {
    const aside = freeName(files, folder, name);
    const [from, to] = [path.join(folder, name), path.join(folder, aside)];
    try {
      if (inUse) {
        files.link(from, to);
      } else {
        files.rename(from, to);
      }
      files.syncFolder(folder);
      return `${finding}. It was kept as ${aside}; nothing was deleted.`;
    } catch (error) {
      return `${finding}. It could not be put aside (${messageOf(error)}); nothing was deleted.`;
    }
  });
}

function freeName(files: Files, folder: string, name: string): string {
  for (let counter = 1; ; counter++) {
    const aside = `${name}${DAMAGED}${counter}`;
    if (!files.exists(path.join(folder, aside))) {
      return aside;
    }
  }
}
