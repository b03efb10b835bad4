/** Replaces a file in one step: whoever reads it, also after a crash, sees the old content or the new one. */
import { constants } from 'node:fs';
import { open, rename, rm, symlink } from 'node:fs/promises';
import type { AnchoredFolder } from './anchoredFolder.ts';

/** Files of this form are ours, unfinished and worthless; the private repository ignores them. */
export const TEMPORARY_FILES = '.devsquad-*.tmp';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export interface Replacement {
  readonly bytes: Uint8Array;
  /** Permission bits that hold whatever the umask says; absent for those of a new file. */
  readonly mode?: number;
  /** Adds the right to execute for everybody the umask allows, for a new file. */
  readonly executable?: boolean;
}

/** `label` tells temporary files of writers apart that work at the same time; the same label takes over a leftover. */
export async function replaceFile(
  folder: AnchoredFolder,
  name: string,
  label: string,
  content: Replacement,
): Promise<void> {
  const temporary = folder.at(`.devsquad-${label}.tmp`);
  await rm(temporary, { force: true });
  try {
    const handle = await open(temporary, CREATE, content.executable ? 0o777 : 0o666);
    try {
      await handle.writeFile(content.bytes);
      if (content.mode !== undefined) {
        await handle.chmod(content.mode);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, folder.at(name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The link itself; what it points to is not looked at. */
export async function replaceLink(folder: AnchoredFolder, name: string, label: string, target: Buffer): Promise<void> {
  const temporary = folder.at(`.devsquad-${label}.tmp`);
  await rm(temporary, { force: true });
  try {
    await symlink(target, temporary);
    await rename(temporary, folder.at(name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
