/** What is at a path of the developer's working tree, in git's terms, so that it can be compared with a tree. */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './folders.ts';

export type WorkingFile =
  | { readonly kind: 'absent' }
  /** A file or a symbolic link, with the mode and the object that git would give it. */
  | { readonly kind: 'leaf'; readonly mode: string; readonly object: string; readonly permissions: number }
  | { readonly kind: 'folder' }
  /** A pipe, a socket, a device. */
  | { readonly kind: 'other' }
  /** A name on the way is no real folder but a file or a link. */
  | { readonly kind: 'behind'; readonly leaf: string };

/** `hash` is the object format of the repository. Links are never followed. */
export async function lookAtWorkingFile(root: string, path: string, hash: string): Promise<WorkingFile> {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join('/');
    const found = await lstatIfThere(join(root, parent));
    if (!found) {
      return { kind: 'absent' };
    }
    if (!found.isDirectory()) {
      return { kind: 'behind', leaf: parent };
    }
  }
  const found = await lstatIfThere(join(root, path));
  if (!found) {
    return { kind: 'absent' };
  }
  const permissions = found.mode & 0o777;
  if (found.isSymbolicLink()) {
    const target = await readlink(join(root, path), { encoding: 'buffer' });
    return { kind: 'leaf', mode: '120000', object: hashBlob(target, hash), permissions };
  }
  if (found.isFile()) {
    const mode = (found.mode & 0o100) === 0 ? '100644' : '100755';
    return { kind: 'leaf', mode, object: await hashFile(join(root, path), hash), permissions };
  }
  return { kind: found.isDirectory() ? 'folder' : 'other' };
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

function hashBlob(bytes: Uint8Array, hash: string): string {
  return createHash(hash).update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Piece by piece; a file that changes its size meanwhile gets a hash that fits nothing. */
async function hashFile(path: string, hash: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const digest = createHash(hash).update(`blob ${(await handle.stat()).size}\0`);
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      digest.update(chunk as Buffer);
    }
    return digest.digest('hex');
  } finally {
    await handle.close();
  }
}
