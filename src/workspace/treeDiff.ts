/** Reads what `git diff-tree` prints about two trees. */
import type { FileChange } from '../domain/run.ts';

/** One path that differs between two trees. Modes are git's; '000000' and an object of zeros where it is not there. */
export interface TreeChange {
  readonly path: string;
  readonly fromMode: string;
  readonly toMode: string;
  readonly fromObject: string;
  readonly toObject: string;
  /** Lines; 0 and 0 for binary files. */
  readonly added: number;
  readonly removed: number;
}

/** Options that make the answer the same everywhere: no renames, no configured programs, paths as they are. */
export const DIFF_TREE = [
  'diff-tree',
  '-r',
  '-z',
  '--raw',
  '--numstat',
  '--no-abbrev',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
];

export function parseTreeDiff(output: Buffer): TreeChange[] {
  const changes = new Map<string, TreeChange>();
  const parts = output.toString('utf8').split('\0');
  for (let index = 0; index < parts.length - 1; index++) {
    const part = parts[index] ?? '';
    if (part.startsWith(':')) {
      const [fromMode = '', toMode = '', fromObject = '', toObject = ''] = part.slice(1).split(' ');
      const path = parts[++index] ?? '';
      changes.set(path, { path, fromMode, toMode, fromObject, toObject, added: 0, removed: 0 });
    } else {
      const [, added, removed, path = ''] = /^(\d+|-)\t(\d+|-)\t([^]*)$/.exec(part) ?? [];
      const change = changes.get(path);
      if (change) {
        changes.set(path, { ...change, added: Number(added) || 0, removed: Number(removed) || 0 });
      }
    }
  }
  return [...changes.values()];
}

export const ABSENT_MODE = '000000';

export function toFileChange(change: TreeChange): FileChange {
  const { path, added, removed } = change;
  const status = change.fromMode === ABSENT_MODE ? 'added' : change.toMode === ABSENT_MODE ? 'deleted' : 'modified';
  return { path, status, added, removed };
}
