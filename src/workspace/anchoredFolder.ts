/**
 * A folder held open, reached from its root without following any link on the way. What is done through `at` happens in
 * that very folder, even when somebody swaps a folder on the path for a link meanwhile. Linux gives the means
 * (`/proc/self/fd`); elsewhere the path is compared again after it was walked, which leaves a small gap.
 */
import { constants } from 'node:fs';
import { mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './folders.ts';

const HOLDS_FOLDERS = process.platform === 'linux';
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** A name on the path is a link or no folder; most likely it was swapped after it had been checked. */
export class FolderSwappedError extends Error {
  override name = 'FolderSwappedError';
}

export class AnchoredFolder {
  private readonly path: string;
  private readonly handle: FileHandle | undefined;

  private constructor(path: string, handle: FileHandle | undefined) {
    this.path = path;
    this.handle = handle;
  }

  /**
   * `root` is canonical; `parts` are the names below it. Missing folders are made when `create` is set, otherwise
   * ENOENT is thrown. Rejects with a FolderSwappedError where a name is not a real folder.
   */
  static async open(
    root: string,
    parts: readonly string[],
    options: { create?: boolean } = {},
  ): Promise<AnchoredFolder> {
    if (!HOLDS_FOLDERS) {
      return AnchoredFolder.openByPath(root, parts, options.create ?? false);
    }
    let handle = await open(root, OPEN_FOLDER);
    for (const part of parts) {
      const parent = handle;
      try {
        handle = await openInside(through(parent, part), options.create ?? false);
      } finally {
        await parent.close();
      }
    }
    return new AnchoredFolder(join(root, ...parts), handle);
  }

  /** The path by which to reach a name in this folder; '' for the folder itself. Valid until `close`. */
  at(name: string): string {
    return this.handle ? through(this.handle, name) : join(this.path, name);
  }

  /** Makes a rename or a delete in this folder survive a power cut, where the system can. */
  async sync(): Promise<void> {
    await this.handle?.sync();
  }

  async close(): Promise<void> {
    await this.handle?.close();
  }

  private static async openByPath(root: string, parts: readonly string[], create: boolean): Promise<AnchoredFolder> {
    const path = join(root, ...parts);
    if (create) {
      await mkdir(path, { recursive: true });
    }
    if ((await realpath(path)) !== path) {
      throw new FolderSwappedError(path);
    }
    return new AnchoredFolder(path, undefined);
  }
}

/** Opens the anchored folder for the time of one piece of work. */
export async function inFolder<T>(
  root: string,
  parts: readonly string[],
  options: { create?: boolean },
  work: (folder: AnchoredFolder) => Promise<T>,
): Promise<T> {
  const folder = await AnchoredFolder.open(root, parts, options);
  try {
    return await work(folder);
  } finally {
    await folder.close();
  }
}

function through(handle: FileHandle, name: string): string {
  return `/proc/self/fd/${handle.fd}/${name}`;
}

async function openInside(path: string, create: boolean): Promise<FileHandle> {
  try {
    return await open(path, OPEN_FOLDER);
  } catch (error) {
    // O_NOFOLLOW with O_DIRECTORY answers ENOTDIR for a link, as it does for a file.
    if (hasCode(error, 'ELOOP') || hasCode(error, 'ENOTDIR')) {
      throw new FolderSwappedError(path, { cause: error });
    }
    if (!create || !hasCode(error, 'ENOENT')) {
      throw error;
    }
    await mkdir(path).catch((failure: unknown) => {
      if (!hasCode(failure, 'EEXIST')) {
        throw failure;
      }
    });
    return openInside(path, false);
  }
}
