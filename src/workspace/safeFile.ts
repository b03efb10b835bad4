/**
 * The only door through which tools reach files of a worktree. Resolving, checking and opening are one step: what was
 * checked is what is read or written, also when somebody swaps files or folders meanwhile. Every refusal is a
 * ToolRefusal that tells a model what to try instead. It knows no rules about which files are sensitive.
 */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { ToolRefusal } from '../domain/errors.ts';
import { FolderSwappedError, inFolder, type AnchoredFolder } from './anchoredFolder.ts';
import { replaceFile } from './atomicFile.ts';
import { hasCode, isMissing, lookAt } from './folders.ts';

export interface FileContent {
  /** From the root, links resolved. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export interface WriteReceipt {
  readonly path: string;
  /** SHA-256 of what was there, absent for a new file. */
  readonly before?: string;
  readonly after: string;
}

export type EntryKind = 'file' | 'folder' | 'link' | 'other';

export interface FolderEntry {
  readonly name: string;
  readonly kind: EntryKind;
}

export interface FileFacts {
  readonly path: string;
  readonly kind: EntryKind;
  readonly size: number;
  readonly mtimeMs: number;
}

const MEGABYTE = 1024 * 1024;
/** O_NONBLOCK: opening a pipe must not wait for somebody to write into it. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class SafeFiles {
  readonly root: string;
  private readonly limits: { readonly readBytes: number; readonly writeBytes: number };
  private writes = 0;

  /** `root` is an absolute path of a folder; the limits are 1 MB for a read and 4 MB for a write. */
  constructor(root: string, limits: { readBytes?: number; writeBytes?: number } = {}) {
    this.root = resolve(root);
    this.limits = { readBytes: MEGABYTE, writeBytes: 4 * MEGABYTE, ...limits };
  }

  /** Where a path really leads, from the root, '/' between names, '' for the root: what rules about paths judge. */
  async locate(path: string): Promise<string> {
    return (await this.resolve(path)).parts.join('/');
  }

  async read(path: string): Promise<FileContent> {
    const place = await this.resolve(path);
    return this.inParent(path, place, {}, async (folder, name) => {
      const bytes = await readRegular(folder.at(name), path, this.limits.readBytes);
      return { path: place.parts.join('/'), bytes, sha256: sha256(bytes) };
    });
  }

  /** Writes the whole file in one step, keeps its mode, makes the folders it needs. */
  async write(path: string, content: Uint8Array | string): Promise<WriteReceipt> {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    if (bytes.length > this.limits.writeBytes) {
      throw new ToolRefusal(
        `${quote(path)} would have ${bytes.length} bytes; the limit is ${this.limits.writeBytes}. Split the content into several files.`,
      );
    }
    const place = await this.resolve(path);
    return this.inParent(path, place, { create: true }, async (folder, name) => {
      const found = await lookAt(folder.at(name));
      refuseUnlessFile(path, found);
      const before = found && sha256(await readRegular(folder.at(name), path, Number.MAX_SAFE_INTEGER));
      const label = `${process.pid}-${++this.writes}`;
      await replaceFile(folder, name, label, { bytes, ...(found && { mode: found.mode & 0o777 }) });
      return {
        path: place.parts.join('/'),
        after: sha256(bytes),
        ...(before === undefined ? {} : { before }),
      };
    });
  }

  /** The entries of a folder by name, without `.git`; links are not followed. */
  async list(path: string): Promise<FolderEntry[]> {
    const { root, parts } = await this.resolve(path);
    return explaining(path, () =>
      inFolder(root, parts, {}, async (folder) => {
        const entries = await readdir(folder.at(''), { withFileTypes: true });
        return entries
          .filter(({ name }) => !isGitFolder(name))
          .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
          .sort((one, other) => (one.name < other.name ? -1 : 1));
      }),
    );
  }

  /** Undefined where nothing is. */
  async stat(path: string): Promise<FileFacts | undefined> {
    const { root, parts } = await this.resolve(path);
    const found = await lookAt(join(root, ...parts));
    return found && { path: parts.join('/'), kind: kindOf(found), size: found.size, mtimeMs: found.mtimeMs };
  }

  /** Deletes a file or a link (never what it points to); answers the hash of a file's content. */
  async delete(path: string): Promise<{ path: string; before?: string }> {
    const place = await this.resolveEntry(path);
    return this.inParent(path, place, {}, async (folder, name) => {
      const found = await lstat(folder.at(name));
      const deleted = { path: place.parts.join('/') };
      if (found.isSymbolicLink()) {
        await unlink(folder.at(name));
        return deleted;
      }
      refuseUnlessFile(path, found);
      const before = sha256(await readRegular(folder.at(name), path, Number.MAX_SAFE_INTEGER));
      await unlink(folder.at(name));
      return { ...deleted, before };
    });
  }

  /** Moves a file or a link to a path where nothing is yet. */
  async move(path: string, newPath: string): Promise<{ from: string; to: string }> {
    const source = await this.resolveEntry(path);
    const target = await this.resolve(newPath);
    return this.inParent(path, source, {}, (from, name) =>
      this.inParent(newPath, target, { create: true }, async (to, newName) => {
        const found = await lstat(from.at(name));
        if (!found.isSymbolicLink()) {
          refuseUnlessFile(path, found);
        }
        if (await lookAt(to.at(newName))) {
          throw new ToolRefusal(`${quote(newPath)} exists already. Delete it first, or choose another name.`);
        }
        await rename(from.at(name), to.at(newName));
        return { from: source.parts.join('/'), to: target.parts.join('/') };
      }),
    );
  }

  /** Follows links as far as the path exists, and refuses what leads outside. */
  private resolve(path: string): Promise<Place> {
    return explaining(path, async () => {
      const root = await realpath(this.root);
      let existing = this.lexical(path, root);
      let missing: string[] = [];
      for (;;) {
        const real = await realpath(existing).catch((error: unknown) => refuseLink(path, existing, error));
        if (real !== undefined) {
          return place(path, root, join(real, ...missing));
        }
        missing = [basename(existing), ...missing];
        existing = dirname(existing);
      }
    });
  }

  /** Like `resolve`, but a link at the end of the path stands for itself. */
  private async resolveEntry(path: string): Promise<Place> {
    const root = await realpath(this.root);
    const wanted = this.lexical(path, root);
    if (wanted === root) {
      throw new ToolRefusal(`${quote(path)} is the workspace itself. Name a file in it.`);
    }
    const parent = await this.resolve(dirname(wanted));
    return place(path, root, join(root, ...parent.parts, basename(wanted)));
  }

  private lexical(path: string, root: string): string {
    if (path === '' || path.includes('\0')) {
      throw new ToolRefusal('The path is empty or holds a NUL character. Give a path from the workspace root.');
    }
    const absolute = isAbsolute(path) ? resolve(path) : resolve(root, path);
    const wanted = isInside(this.root, absolute) ? join(root, relative(this.root, absolute)) : absolute;
    place(path, root, wanted);
    return wanted;
  }

  private inParent<T>(
    path: string,
    { root, parts }: Place,
    options: { create?: boolean },
    work: (folder: AnchoredFolder, name: string) => Promise<T>,
  ): Promise<T> {
    const name = parts.at(-1);
    if (name === undefined) {
      throw new ToolRefusal(`${quote(path)} is the workspace itself, a folder. Name a file in it.`);
    }
    return explaining(path, () => inFolder(root, parts.slice(0, -1), options, (folder) => work(folder, name)));
  }
}

/** A canonical path as its canonical root and the names below. */
interface Place {
  readonly root: string;
  readonly parts: readonly string[];
}

function place(path: string, root: string, canonical: string): Place {
  if (!isInside(root, canonical)) {
    throw new ToolRefusal(
      `${quote(path)} is outside the workspace. Use a path from the workspace root, such as "src/index.ts", that leads to a file inside it.`,
    );
  }
  const parts = relative(root, canonical)
    .split(sep)
    .filter((part) => part !== '');
  if (parts.some(isGitFolder)) {
    throw new ToolRefusal(
      `${quote(path)} belongs to git's own files, which tools do not touch. Leave them as they are.`,
    );
  }
  return { root, parts };
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** `.git` in any case, also as file systems of Windows and macOS would read it. */
function isGitFolder(name: string): boolean {
  return /^(?:\.git[. ]*|git~1)(?::.*)?$/i.test(name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, ''));
}

async function refuseLink(path: string, existing: string, error: unknown): Promise<undefined> {
  if (hasCode(error, 'ELOOP')) {
    throw new ToolRefusal(`${quote(path)} goes through links that lead in a circle. Use the path of the real file.`);
  }
  if (!isMissing(error)) {
    throw error;
  }
  const target = await targetOfLink(existing);
  if (target !== undefined) {
    throw new ToolRefusal(
      `${quote(path)} goes through a link to something that does not exist (${quote(target)}). Use the path of a real file, or delete the link.`,
    );
  }
  return undefined;
}

/** Undefined where there is no link, also when it was swapped for something else a moment ago. */
async function targetOfLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasCode(error, 'EINVAL') || isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

async function readRegular(openPath: string, path: string, limit: number): Promise<Buffer> {
  const handle = await open(openPath, READ);
  try {
    const facts = await handle.stat();
    refuseUnlessFile(path, facts);
    if (facts.size > limit) {
      throw tooLarge(path, facts.size, limit);
    }
    const bytes = await handle.readFile();
    if (bytes.length > limit) {
      throw tooLarge(path, bytes.length, limit);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

function tooLarge(path: string, size: number, limit: number): ToolRefusal {
  return new ToolRefusal(
    `${quote(path)} has ${size} bytes; the limit is ${limit}. Search in it with search_text, or look at a part of it with run_command.`,
  );
}

function refuseUnlessFile(path: string, found: Stats | undefined): void {
  if (found?.isDirectory()) {
    throw new ToolRefusal(`${quote(path)} is a folder. Name a file in it; list_files shows what is there.`);
  }
  if (found && !found.isFile()) {
    throw new ToolRefusal(
      `${quote(path)} is no regular file (a link, a pipe, a socket or a device). Use another path.`,
    );
  }
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): EntryKind {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other';
}

async function explaining<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FolderSwappedError) {
      throw new ToolRefusal(
        `${quote(path)} cannot be used: a name on the way is no folder, or was changed just now. Look again with list_files.`,
        { cause: error },
      );
    }
    if (isMissing(error)) {
      throw new ToolRefusal(`There is nothing at ${quote(path)}. See what is there with list_files.`, { cause: error });
    }
    if (hasCode(error, 'ELOOP')) {
      throw new ToolRefusal(`${quote(path)} was replaced by a link just now. Look again with list_files.`, {
        cause: error,
      });
    }
    if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) {
      throw new ToolRefusal(`${quote(path)} may not be opened: permission denied. Use another path.`, { cause: error });
    }
    if (hasCode(error, 'ENXIO')) {
      throw new ToolRefusal(`${quote(path)} is no regular file. Use another path.`, { cause: error });
    }
    if (hasCode(error, 'ENAMETOOLONG')) {
      throw new ToolRefusal('A name in the path is too long for this file system. Use a shorter one.', {
        cause: error,
      });
    }
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A path in a message, with its control characters visible. */
function quote(path: string): string {
  return JSON.stringify(path.length > 300 ? `${path.slice(0, 300)}…` : path);
}
