/**
 * Everything the ledger asks of a file system, and nothing more, so that a test can put a disk underneath that loses,
 * reorders, tears and refuses. All of it is synchronous: it runs in threads, and where the main thread reads, a record is
 * small. Every function throws the system's error with its `code`.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

export interface Files {
  /** Makes a file that must not be there yet, readable by this user only, and answers a handle for writing. */
  create(path: string): number;
  /**
   * Writes the bytes from `from` on, behind what was written before or at a place. Answers how many were taken, which a full
   * disk makes fewer without an error.
   */
  write(handle: number, bytes: Uint8Array, from: number, at?: number): number;
  /** The file's bytes survive a power cut afterwards; its name does so after `syncFolder`. Never to be tried again after an error. */
  sync(handle: number): void;
  truncate(handle: number, length: number): void;
  close(handle: number): void;
  /**
   * Whether the file that was opened still stands at that path. Not to be asked at every write: a system that was asked for
   * a file's times stores new ones with the next write, and that one takes half as long again.
   */
  isAt(handle: number, path: string): boolean;

  /** Makes what is already in a file survive a power cut, whoever wrote it. */
  syncFile(path: string): void;
  size(path: string): number;
  /** The whole file, or up to `length` bytes from `offset`. */
  read(path: string, offset?: number, length?: number): Buffer<ArrayBuffer>;
  /** Never throws: what cannot be looked at is not there. */
  exists(path: string): boolean;

  /** Names in a folder, in any order. */
  list(folder: string): string[];
  /** Makes a folder, for this user only, with those above it. Does nothing when it is there. */
  makeFolder(path: string): void;
  /** What was made, renamed and removed in a folder survives a power cut afterwards. */
  syncFolder(folder: string): void;
  rename(from: string, to: string): void;
  /** A second name for a file; fails when the name is taken. */
  link(from: string, to: string): void;
  remove(path: string): void;
}

export const systemFiles: Files = {
  create: (path) => openSync(path, 'wx', 0o600),
  write: (handle, bytes, from, at) => writeSync(handle, bytes, from, bytes.length - from, at ?? null),
  sync: fdatasyncSync,
  truncate: ftruncateSync,
  close: closeSync,
  isAt: (handle, path) => {
    const there = statSync(path, { bigint: true, throwIfNoEntry: false });
    const opened = fstatSync(handle, { bigint: true });
    return there?.ino === opened.ino && there.dev === opened.dev;
  },
  syncFile: (path) => {
    withHandle(path, 'r+', fdatasyncSync);
  },
  size: (path) => statSync(path).size,
  read: (path, offset, length) =>
    offset === undefined || length === undefined
      ? readFileSync(path)
      : withHandle(path, 'r', (handle) => {
          const bytes = Buffer.alloc(length);
          return bytes.subarray(0, readSync(handle, bytes, 0, length, offset));
        }),
  exists: existsSync,
  list: (folder) => readdirSync(folder),
  makeFolder: (path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  },
  syncFolder: (folder) => {
    // Windows cannot open a folder and does not need it.
    if (process.platform !== 'win32') {
      withHandle(folder, 'r', fsyncSync);
    }
  },
  rename: renameSync,
  link: linkSync,
  remove: (path) => {
    rmSync(path);
  },
};

function withHandle<Result>(path: string, flags: string, work: (handle: number) => Result): Result {
  const handle = openSync(path, flags);
  try {
    return work(handle);
  } finally {
    closeSync(handle);
  }
}

/** `write` may take fewer bytes than it was given; the call after that says why. */
export function writeWhole(files: Files, handle: number, bytes: Uint8Array, at?: number): void {
  for (let written = 0; written < bytes.length;) {
    const taken = files.write(handle, bytes, written, at === undefined ? at : at + written);
    if (taken === 0) {
      throw new Error('the disk takes no more bytes');
    }
    written += taken;
  }
}

/** The system's code of an error, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
