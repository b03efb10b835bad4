/**
 * Puts the difference between two trees of a run into the developer's working tree, or takes it back. First every
 * path is compared; a single one that is not as expected stops all, with nothing written. Each file is replaced in one
 * step, and what is already as wanted is passed over: after a crash at any point it is simply called again.
 */
import { createHash } from 'node:crypto';
import { readdir, realpath, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HumanError } from '../domain/errors.ts';
import { FolderSwappedError, inFolder, type AnchoredFolder } from './anchoredFolder.ts';
import { replaceFile, replaceLink } from './atomicFile.ts';
import { hasCode, isMissing } from './folders.ts';
import type { RunRepository } from './repository.ts';
import { ABSENT_MODE, type TreeChange } from './treeDiff.ts';
import { lookAtWorkingFile, type WorkingFile } from './workingFile.ts';

export interface ApplyRequest {
  readonly repository: RunRepository;
  /** What the working tree is expected to hold: the seed's tree, or the result's when it is taken back. */
  readonly from: string;
  readonly to: string;
}

export interface ApplyPlan {
  /** Paths that differ from both trees; as long as there are any, nothing is written. */
  readonly conflicts: readonly string[];
  /** Paths that are to be written or deleted. */
  readonly pending: readonly string[];
  /** Paths that are already as wanted. */
  readonly done: readonly string[];
}

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly paths: readonly string[] }
  /** `written` is empty unless somebody changed a file between the comparison and the write. */
  | { readonly kind: 'conflict'; readonly conflicts: readonly string[]; readonly written: readonly string[] };

/** Compares and writes nothing. */
export async function planApply(request: ApplyRequest, signal: AbortSignal): Promise<ApplyPlan> {
  const { conflicts, pending, done } = await compare(request, signal);
  return { conflicts, pending: pending.map(({ path }) => path), done };
}

export async function applyChanges(request: ApplyRequest, signal: AbortSignal): Promise<ApplyOutcome> {
  const comparison = await compare(request, signal);
  if (comparison.conflicts.length > 0) {
    return { kind: 'conflict', conflicts: comparison.conflicts, written: [] };
  }
  const written: string[] = [];
  for await (const path of writeAll(request.repository, comparison, signal)) {
    if (path.written) {
      written.push(path.path);
    } else {
      return { kind: 'conflict', conflicts: [path.path], written };
    }
  }
  return { kind: 'applied', paths: [...comparison.done, ...written].sort() };
}

/** Takes an applied difference back, by the same rules. */
export function undoApply(request: ApplyRequest, signal: AbortSignal): Promise<ApplyOutcome> {
  return applyChanges({ ...request, from: request.to, to: request.from }, signal);
}

interface Comparison {
  readonly root: string;
  readonly changes: ReadonlyMap<string, TreeChange>;
  readonly conflicts: string[];
  readonly pending: TreeChange[];
  readonly done: string[];
}

type Side = 'from' | 'to';

async function compare({ repository, from, to }: ApplyRequest, signal: AbortSignal): Promise<Comparison> {
  const root = await realpath(repository.workspaceRoot);
  const changes = new Map((await repository.treeChanges(from, to, signal)).map((change) => [change.path, change]));
  const comparison: Comparison = { root, changes, conflicts: [], pending: [], done: [] };
  for (const change of changes.values()) {
    signal.throwIfAborted();
    refuseHostilePath(change.path);
    const state = await stateOf(comparison, change);
    if (state === 'pending') {
      comparison.pending.push(change);
    } else {
      comparison[state].push(change.path);
    }
  }
  return comparison;
}

async function stateOf(comparison: Comparison, change: TreeChange): Promise<'pending' | 'done' | 'conflicts'> {
  const { root, changes } = comparison;
  if (change.fromMode === SUBMODULE || change.toMode === SUBMODULE) {
    return 'conflicts';
  }
  const found = await lookAtWorkingFile(root, change.path, hashOf(change));
  if (isAs(found, change, 'to', changes)) {
    return 'done';
  }
  const expected = isAs(found, change, 'from', changes);
  return expected && (found.kind !== 'folder' || (await willBeEmpty(comparison, change.path)))
    ? 'pending'
    : 'conflicts';
}

const SUBMODULE = '160000';
const LINK = '120000';

/** Whether a path is on disk as one of the two trees has it. */
function isAs(found: WorkingFile, change: TreeChange, side: Side, changes: ReadonlyMap<string, TreeChange>): boolean {
  const mode = modeOn(change, side);
  switch (found.kind) {
    case 'leaf':
      return mode === found.mode && (side === 'from' ? change.fromObject : change.toObject) === found.object;
    case 'absent':
      return mode === ABSENT_MODE;
    case 'behind': {
      // That tree has a file where the other one has a folder with this path in it.
      const leaf = changes.get(found.leaf);
      return mode === ABSENT_MODE && leaf !== undefined && modeOn(leaf, side) !== ABSENT_MODE;
    }
    case 'folder':
      return mode === ABSENT_MODE && [...changes.values()].some((other) => isBelow(other, change.path, side));
    case 'other':
      return false;
  }
}

function isBelow(other: TreeChange, folder: string, side: Side): boolean {
  return other.path.startsWith(`${folder}/`) && modeOn(other, side) !== ABSENT_MODE;
}

function modeOn(change: TreeChange, side: Side): string {
  return side === 'from' ? change.fromMode : change.toMode;
}

/** Whether a folder holds nothing but what will be deleted, so that a file can take its place. */
async function willBeEmpty({ root, changes }: Comparison, folder: string): Promise<boolean> {
  const entries = await readdir(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .every((entry) => changes.get(join(entry.parentPath, entry.name).slice(root.length + 1))?.toMode === ABSENT_MODE);
}

/** Deletes first, the deepest first: a file may have to make room for a folder and the other way round. */
async function* writeAll(
  repository: RunRepository,
  comparison: Comparison,
  signal: AbortSignal,
): AsyncGenerator<{ path: string; written: boolean }> {
  const deletions = comparison.pending.filter(({ toMode }) => toMode === ABSENT_MODE).reverse();
  for (const change of deletions) {
    signal.throwIfAborted();
    yield { path: change.path, written: await writeOne(comparison, change, undefined) };
  }
  const writes = comparison.pending.filter(({ toMode }) => toMode !== ABSENT_MODE);
  for (let start = 0; start < writes.length; start += BLOBS_AT_ONCE) {
    const batch = writes.slice(start, start + BLOBS_AT_ONCE);
    const blobs = await repository.readBlobs(
      batch.map(({ toObject }) => toObject),
      signal,
    );
    for (const [index, change] of batch.entries()) {
      signal.throwIfAborted();
      yield { path: change.path, written: await writeOne(comparison, change, blobs[index]) };
    }
  }
}

const BLOBS_AT_ONCE = 100;

/** False when the path was changed since it was compared; then it stays as it is. */
async function writeOne(comparison: Comparison, change: TreeChange, blob: Buffer | undefined): Promise<boolean> {
  const found = await lookAtWorkingFile(comparison.root, change.path, hashOf(change));
  if (!isAs(found, change, 'from', comparison.changes)) {
    return isAs(found, change, 'to', comparison.changes);
  }
  const parts = change.path.split('/');
  const name = parts.pop() ?? '';
  try {
    if (change.toMode === ABSENT_MODE) {
      await inFolder(comparison.root, parts, {}, (folder) => unlink(folder.at(name)));
      await removeEmptyFolders(comparison.root, parts);
    } else {
      await inFolder(comparison.root, parts, { create: true }, (folder) => put(folder, name, change, found, blob));
    }
    return true;
  } catch (error) {
    if (
      error instanceof FolderSwappedError ||
      isMissing(error) ||
      hasCode(error, 'EISDIR') ||
      hasCode(error, 'ENOTEMPTY')
    ) {
      return false;
    }
    throw error;
  }
}

async function put(
  folder: AnchoredFolder,
  name: string,
  change: TreeChange,
  found: WorkingFile,
  blob: Buffer | undefined,
): Promise<void> {
  if (!blob) {
    throw new HumanError(
      `The content of ${change.path} is missing in the run's private repository. Start the run anew; the files written so far can be taken back.`,
    );
  }
  const label = `apply-${createHash('sha256').update(change.path).digest('hex').slice(0, 12)}`;
  if (change.toMode === LINK) {
    await replaceLink(folder, name, label, blob);
  } else {
    const executable = change.toMode === '100755';
    const kept =
      found.kind === 'leaf' && found.mode !== LINK ? { mode: permissionsFor(found.permissions, executable) } : {};
    await replaceFile(folder, name, label, { bytes: blob, executable, ...kept });
  }
  await folder.sync();
}

/** Who may read may execute. */
function permissionsFor(permissions: number, executable: boolean): number {
  return executable ? permissions | ((permissions & 0o444) >> 2) : permissions & ~0o111;
}

async function removeEmptyFolders(root: string, parts: readonly string[]): Promise<void> {
  for (let depth = parts.length; depth > 0; depth--) {
    const name = parts[depth - 1] ?? '';
    try {
      await inFolder(root, parts.slice(0, depth - 1), {}, (folder) => rmdir(folder.at(name)));
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST') || isMissing(error)) {
        return;
      }
      throw error;
    }
  }
}

function hashOf(change: TreeChange): string {
  return change.toObject.length === 64 ? 'sha256' : 'sha1';
}

/** git makes no such trees; a tree that was put together by hand must not get out of the workspace either. */
function refuseHostilePath(path: string): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')) {
    throw new HumanError(
      `The result holds the path ${JSON.stringify(path)}, which is not put into a workspace. Nothing was changed.`,
    );
  }
  if (path.includes('\ufffd')) {
    throw new HumanError(
      `The result holds a file whose name is not valid UTF-8 (${JSON.stringify(path)}). Nothing was changed. Make a branch of the result instead.`,
    );
  }
}
