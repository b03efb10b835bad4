/** Small questions to the file system that Node answers with exceptions. Paths here are our own, never an agent's. */
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';

/** What is at a path, not following a last link; undefined where nothing is. */
export async function lookAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Whether an error says that a path, or a folder on the way to it, does not exist. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR');
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Deletes a folder with all in it, write-protected folders too (module caches are). Harmless where nothing is. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!hasCode(error, 'EACCES') && !hasCode(error, 'EPERM')) {
      throw error;
    }
    await unlockFolders(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function unlockFolders(folder: string): Promise<void> {
  if (!(await lookAt(folder))?.isDirectory()) {
    return;
  }
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      await unlockFolders(join(folder, entry.name));
    }
  }
}
