/** Copies of git index files: they hold what git knows about files on disk, so that it need not read them all again. */
import { open, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Git, GitCall } from './git.ts';
import { lookAt } from './folders.ts';

/**
 * Copies an index with its time, a little earlier where the file system is finer: git trusts an entry only if the file
 * is older than the index, so a copy that looked newer would hide changes made in the same instant.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const source = await open(from, 'r');
  try {
    const { mtimeMs } = await source.stat();
    await writeFile(to, await source.readFile());
    const seconds = Math.floor(mtimeMs) / 1000;
    await utimes(to, seconds, seconds);
  } finally {
    await source.close();
  }
}

const ASSUME_UNCHANGED = 0x8000;
const SKIP_WORKTREE = 0x40000000;
/** One entry of `ls-files -s --debug -z`: mode, object, stage, path, then lines with what is known of the file. */
const ENTRY = /(\d{6}) ([0-9a-f]+) 0\t([^\0]+)\0(?: {2}.*\n){4} {2}size: (\d+)\tflags: ([0-9a-f]+)\n/g;

/**
 * Makes git read again those files whose bytes may differ from what the index says: where the developer's settings
 * converted the content (line endings, LFS and other filters change its size) and where git was told not to look.
 * A filter that keeps the size is not noticed. Rejects with a GitError when the index cannot be read by itself.
 */
export async function distrustConverted(git: Git, call: GitCall, root: string, signal: AbortSignal): Promise<void> {
  const listing = await git.run(['ls-files', '-s', '--debug', '-z'], call, signal);
  const entries = [...listing.stdout.toString('latin1').matchAll(ENTRY)].flatMap(
    ([, mode = '', object = '', path = '', size, flags = '0']) =>
      mode.startsWith('100') ? [{ mode, object, path, size: Number(size), flags: parseInt(flags, 16) }] : [],
  );
  if (entries.length === 0) {
    return;
  }
  const sizes = await git.text(
    ['cat-file', '--batch-check=%(objectsize)'],
    { ...call, input: entries.map(({ object }) => `${object}\n`).join('') },
    signal,
  );
  const blobSizes = sizes.split('\n');
  const doubtful: string[] = [];
  for (const [index, { mode, object, path, size, flags }] of entries.entries()) {
    // The index keeps 32 bits of a size; 0 means that git will look for itself.
    const converted = size !== 0 && size !== Number(blobSizes[index]) % 2 ** 32;
    const hidden = (flags & ASSUME_UNCHANGED) !== 0 || ((flags & SKIP_WORKTREE) !== 0 && (await isThere(root, path)));
    if (converted || hidden) {
      doubtful.push(`${mode} ${object} 0\t${path}\0`);
    }
  }
  if (doubtful.length > 0) {
    const input = Buffer.from(doubtful.join(''), 'latin1');
    await git.run(['update-index', '-z', '--index-info'], { ...call, input }, signal);
  }
}

async function isThere(root: string, latin1Path: string): Promise<boolean> {
  return (await lookAt(join(root, Buffer.from(latin1Path, 'latin1').toString('utf8')))) !== undefined;
}
