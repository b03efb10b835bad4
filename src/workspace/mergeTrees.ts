/** Three-way merge of whole trees: objects only, no working tree, no index. */
import type { Git, GitCall } from './git.ts';

export interface TaskChange {
  readonly commit: string;
  readonly base: string;
  readonly tree: string;
}

export interface TreeMerge {
  /** The merged tree; files in conflict carry markers where they are text. */
  readonly tree: string;
  /** Paths in conflict, from the root of the tree. Empty when the merge is clean. */
  readonly conflicts: string[];
  /** How the conflict markers name the two sides. */
  readonly labels: { readonly onto: string; readonly task: string };
}

/** The one parent and the tree of a task's commit. */
export async function readTaskChange(
  git: Git,
  call: GitCall,
  commit: string,
  signal: AbortSignal,
): Promise<TaskChange> {
  const answer = await git.text(['rev-parse', '--verify', `${commit}^`], call, signal);
  const tree = await git.text(['rev-parse', '--verify', `${commit}^{tree}`], call, signal);
  return { commit, base: answer, tree };
}

/**
 * Replays what `change` did to its base on top of the commit `onto`. The base is given to git as the only common
 * ancestor, by a passing commit of `onto`'s tree over it, so the history behind `onto` plays no part.
 */
export async function mergeOnto(
  git: Git,
  call: GitCall & { at: string },
  change: TaskChange,
  onto: string,
  signal: AbortSignal,
): Promise<TreeMerge> {
  if (change.base === onto) {
    return { tree: change.tree, conflicts: [], labels: { onto, task: change.commit } };
  }
  const beside = await git.text(['commit-tree', `${onto}^{tree}`, '-p', change.base], call, signal);
  const merge = await git.run(
    ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', beside, change.commit],
    { ...call, exits: [0, 1] },
    signal,
  );
  const [tree = '', ...paths] = merge.stdout.toString('utf8').split('\0');
  const conflicts = merge.exitCode === 0 ? [] : paths.filter((path) => path !== '');
  return { tree, conflicts, labels: { onto: beside, task: change.commit } };
}
