/**
 * A run's private repository: the seed, one worktree per task, checkouts for verification and the integration branch.
 * It borrows the developer's objects and changes nothing of the developer's; putting a result there is `applyChanges`.
 */
import { shownText } from './realPlace.ts';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GitError, StorageError, ToolRefusal } from '../domain/errors.ts';
import type { FileChange, Seed } from '../domain/run.ts';
import { lookAt, removeTree } from './folders.ts';
import type { Git, GitCall } from './git.ts';
import { LinkedTree } from './linkedTree.ts';
import { mergeOnto, readTaskChange, type TreeMerge } from './mergeTrees.ts';
import { readSeed, seedRepository } from './seeding.ts';
import type { Box } from './sandbox.ts';
import { stageAll, StagingError } from './staging.ts';
import { DIFF_TREE, parseTreeDiff, toFileChange, type TreeChange } from './treeDiff.ts';

export interface TaskCommit {
  readonly commit: string;
  readonly tree: string;
}

export type MergeOutcome =
  | { readonly kind: 'merged'; readonly commit: string; readonly tree: string }
  /** `files` in conflict, from the workspace root. */
  | { readonly kind: 'conflict'; readonly tree: string; readonly files: string[] };

export interface WorktreeFile {
  /** From the workspace root. */
  readonly path: string;
  /** As git writes it. */
  readonly mode: string;
  /** Undefined where the file goes; of a symbolic link its target. */
  readonly bytes: Uint8Array | undefined;
}

export interface CommitNote {
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

const INTEGRATION = 'refs/heads/integration';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const REVISION = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|refs\/heads\/[a-z]+)$/;

export class RunRepository {
  readonly folder: string;
  readonly workspaceRoot: string;
  readonly git: Git;
  private readonly repositoryFolder: string;
  private known: Promise<Seed> | undefined;

  constructor(options: { folder: string; workspaceRoot: string; git: Git }) {
    this.folder = options.folder;
    this.workspaceRoot = options.workspaceRoot;
    this.git = options.git;
    this.repositoryFolder = join(options.folder, 'repository.git');
  }

  /**
   * Takes over the working tree as it is now; the second time it answers with the same seed. Rejects with a HumanError
   * where the folder cannot be taken, and leaves nothing half-made behind.
   */
  async seed(options: { at: string }, signal: AbortSignal): Promise<Seed> {
    const { git, workspaceRoot, repositoryFolder } = this;
    return (
      (await readSeed(repositoryFolder)) ??
      (await seedRepository({ git, workspaceRoot, repositoryFolder }, options.at, signal))
    );
  }

  /** What commands reach in a worktree or a checkout: its files, and to read what git keeps of them. */
  async boxOf(kind: 'worktree' | 'checkout', name: string): Promise<Box> {
    const { path } = kind === 'worktree' ? this.worktree(name) : this.checkoutTree(name);
    const borrowed = await readFile(join(this.repositoryFolder, 'objects/info/alternates'), 'utf8').catch(() => '');
    return {
      writable: path,
      readable: [this.repositoryFolder, ...borrowed.split('\n').filter((line) => line.startsWith('/'))],
      network: false,
    };
  }

  /** The workspace root inside the task's worktree. A complete worktree is kept as it is, a half-made one made anew. */
  async addWorktree(name: string, commit: string, signal: AbortSignal): Promise<string> {
    const tree = this.worktree(name);
    if (!(await tree.isComplete())) {
      await tree.create(revision(commit), signal);
    }
    return this.rootIn(tree);
  }

  removeWorktree(name: string): Promise<void> {
    return this.worktree(name).remove();
  }

  /**
   * What the worktree holds now as one commit on `base`, ignored files left out; of a workspace in a subfolder only
   * the subfolder. The same content, base, message and date give the same commit. Throws a ToolRefusal when there is
   * something in the worktree that its author has to mend first.
   */
  async commitWorktree(name: string, base: string, note: CommitNote, signal: AbortSignal): Promise<TaskCommit> {
    const tree = await this.treeOfWorktree(name, base, signal);
    return { commit: await this.commitTree(tree, base, note, signal), tree };
  }

  /** The tree of that commit. */
  async treeOfWorktree(name: string, base: string, signal: AbortSignal): Promise<string> {
    const tree = this.worktree(name);
    const { prefix } = await this.seeded();
    await this.refuseReplacedFolders(tree.path, prefix);
    await mkdir(join(tree.path, prefix), { recursive: true });
    await tree.readIndex(revision(base), signal);
    const embedded = await stageAll(this.git, tree.call(), { prefix }, signal).catch(explainStaging);
    if (embedded.length > 0) {
      throw new ToolRefusal(
        `These folders are git repositories of their own, so their files cannot be handed in: ${embedded.join(', ')}. Delete the .git folder in each, or the folders.`,
      );
    }
    return this.git.text(['write-tree'], tree.call(), signal);
  }

  /** Gives files of the worktree these contents, or deletes them; links on the way to them are replaced and not followed. */
  async setFiles(name: string, base: string, files: readonly WorktreeFile[], signal: AbortSignal): Promise<void> {
    const call = this.worktree(name).call();
    const from = await this.treeOfWorktree(name, base, signal);
    const to = await this.treeWith(from, files, signal);
    // The index is that of `from`, and so is the worktree: git changes what differs, and makes and removes folders.
    await this.git.run(['read-tree', '-m', '-u', from, to], call, signal);
  }

  /** A fresh checkout of exactly that commit, for checks to run in; answers the workspace root inside it. */
  async checkout(name: string, commit: string, signal: AbortSignal): Promise<string> {
    const tree = this.checkoutTree(name);
    await tree.create(revision(commit), signal);
    return this.rootIn(tree);
  }

  /** Tree of the checkout's tracked files as they are now: another one than was checked out, if checks changed any. */
  async treeOfCheckout(name: string, signal: AbortSignal): Promise<string> {
    const call = this.checkoutTree(name).call();
    await this.git.run(['add', '-u', '--', ':/'], call, signal);
    return this.git.text(['write-tree'], call, signal);
  }

  removeCheckout(name: string): Promise<void> {
    return this.checkoutTree(name).remove();
  }

  /** Replays a task's commit on `onto` as one commit with that parent. Changes no branch. */
  async mergeTask(options: CommitNote & { onto: string; commit: string }, signal: AbortSignal): Promise<MergeOutcome> {
    const { onto } = options;
    const merge = await this.merge(options, signal);
    if (merge.conflicts.length > 0) {
      return { kind: 'conflict', tree: merge.tree, files: await this.fromWorkspace(merge.conflicts) };
    }
    return { kind: 'merged', commit: await this.commitTree(merge.tree, onto, options, signal), tree: merge.tree };
  }

  /** Moves the integration branch; false when it is neither at `from` nor already at `to`. */
  async advanceIntegration(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.git.run(['update-ref', INTEGRATION, revision(to), revision(from)], this.call(), signal);
      return true;
    } catch (error) {
      if (error instanceof GitError) {
        return (await this.integrationHead(signal)) === to;
      }
      throw error;
    }
  }

  integrationHead(signal: AbortSignal): Promise<string> {
    return this.git.text(['rev-parse', '--verify', INTEGRATION], this.call(), signal);
  }

  /**
   * Moves a task's worktree to `onto` with the changes of its commit replayed; the files answered carry conflict
   * markers. What was changed since that commit is lost, ignored files stay. May be called again after a crash.
   */
  async rebaseWorktree(
    name: string,
    options: { onto: string; commit: string; at: string },
    signal: AbortSignal,
  ): Promise<{ conflicts: string[] }> {
    const tree = this.worktree(name);
    if (!(await tree.isComplete())) {
      await tree.create(revision(options.commit), signal);
    }
    const merge = await this.merge(options, signal);
    await tree.moveTo(merge.tree, revision(options.onto), signal);
    await nameSides(tree.path, merge);
    return { conflicts: await this.fromWorkspace(merge.conflicts) };
  }

  /** Every file that differs between two commits or trees, inside the workspace, with paths from its root. */
  async changes(from: string, to: string, signal: AbortSignal): Promise<FileChange[]> {
    return (await this.treeChanges(from, to, signal)).map(toFileChange);
  }

  async changedPaths(from: string, to: string, signal: AbortSignal): Promise<string[]> {
    return (await this.treeChanges(from, to, signal)).map(({ path }) => path);
  }

  /** As `changes`, with git's modes and objects. */
  async treeChanges(from: string, to: string, signal: AbortSignal): Promise<TreeChange[]> {
    const { prefix } = await this.seeded();
    const inside = prefix === '' ? [] : ['--', `:(top,literal)${prefix}`];
    const diff = await this.git.run([...DIFF_TREE, revision(from), revision(to), ...inside], this.call(), signal);
    return parseTreeDiff(diff.stdout).map((change) => ({ ...change, path: change.path.slice(prefix.length) }));
  }

  /** A file's bytes (a symbolic link's target), or undefined where the tree has no file there. */
  async showFile(treeish: string, path: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { prefix } = await this.seeded();
    const [object] = await this.readObjects([`${revision(treeish)}:${prefix}${path}`], signal);
    return object?.type === 'blob' ? object.bytes : undefined;
  }

  /** Which of these files and folders, given from the workspace root, are in a tree. */
  async existingPaths(treeish: string, paths: readonly string[], signal: AbortSignal): Promise<Set<string>> {
    const { prefix } = await this.seeded();
    const input = paths.map((path) => `${revision(treeish)}:${prefix}${path}\0`).join('');
    const answer = await this.git.text(
      ['cat-file', '--batch-check=%(objecttype)', '-z'],
      { ...this.call(), input },
      signal,
    );
    // A missing object is answered with its own name, which may hold line breaks; then each is asked for by itself.
    const lines = answer.split('\n');
    if (lines.length !== paths.length) {
      const known = await Promise.all(paths.map((path) => this.existingPaths(treeish, [path], signal)));
      return new Set(known.flatMap((set) => [...set]));
    }
    return new Set(paths.filter((path, index) => /^(?:blob|tree|commit)$/.test(lines[index] ?? '')));
  }

  /** Texts of a tree that a person could be shown, by their paths in the workspace, in order; undefined where there is none. */
  async readTexts(treeish: string, paths: readonly string[], signal: AbortSignal): Promise<(string | undefined)[]> {
    const { prefix } = await this.seeded();
    const names = paths.map((path) => `${revision(treeish)}:${prefix}${path}`);
    const blobs = await this.readBlobs(names, signal);
    return blobs.map((bytes) => bytes && shownText(bytes));
  }

  /** Blobs by their names, in order; undefined for what is not there. One process for all. */
  async readBlobs(objects: readonly string[], signal: AbortSignal): Promise<(Buffer | undefined)[]> {
    return (await this.readObjects(objects, signal)).map((object) =>
      object?.type === 'blob' ? object.bytes : undefined,
    );
  }

  /** A commit of a tree in the private repository, reachable by nothing yet. */
  commitTree(tree: string, parent: string | null, note: CommitNote, signal: AbortSignal): Promise<string> {
    const parents = parent === null ? [] : ['-p', revision(parent)];
    const input = note.message.replaceAll('\0', '') || '\n';
    return this.git.text(['commit-tree', revision(tree), ...parents], { ...this.call(), at: note.at, input }, signal);
  }

  /** Where the private repository is and what it began with. Rejects with a StorageError when it is gone. */
  async location(): Promise<{ gitDir: string; seed: Seed }> {
    return { gitDir: this.repositoryFolder, seed: await this.seeded() };
  }

  /** Removes every worktree and checkout; the seed, all commits and the result stay. */
  async removeTrees(): Promise<void> {
    for (const part of ['worktrees', 'checkouts', 'indexes']) {
      await removeTree(join(this.folder, part));
    }
    await removeTree(join(this.repositoryFolder, 'worktrees'));
  }

  /** Deletes the whole folder of the run. */
  remove(): Promise<void> {
    this.known = undefined;
    return removeTree(this.folder);
  }

  private seeded(): Promise<Seed> {
    this.known ??= this.openSeed().catch((error: unknown) => {
      this.known = undefined;
      throw error;
    });
    return this.known;
  }

  /** Also frees what a killed process left locked; this object is the only one that uses the repository's branches. */
  private async openSeed(): Promise<Seed> {
    const seed = await readSeed(this.repositoryFolder);
    if (!seed) {
      throw new StorageError(
        `The private repository of this run is missing in ${this.folder}. Your workspace was not changed. Start the run anew.`,
      );
    }
    const branches = join(this.repositoryFolder, 'refs', 'heads');
    const locks = (await readdir(branches)).filter((name) => name.endsWith('.lock'));
    await Promise.all(locks.map((name) => removeTree(join(branches, name))));
    return seed;
  }

  /** That tree with these files in it. */
  private async treeWith(tree: string, files: readonly WorktreeFile[], signal: AbortSignal): Promise<string> {
    const { prefix } = await this.seeded();
    const [gone, there]: [string[], string[]] = [[], []];
    for (const { path, mode, bytes } of files) {
      const name = `\t${prefix}${path}\0`;
      if (bytes === undefined) {
        gone.push(`0 ${'0'.repeat(tree.length)}${name}`);
      } else {
        const object = await this.git.text(['hash-object', '-w', '--stdin'], { ...this.call(), input: bytes }, signal);
        there.push(`${mode} ${object}${name}`);
      }
    }
    const indexFile = join(this.folder, 'indexes', `made-${randomUUID()}`);
    const call = { ...this.call(), indexFile };
    try {
      await this.git.run(['read-tree', tree], call, signal);
      // A file may stand where a folder was, so what goes, goes first.
      const input = [...gone, ...there].join('');
      await this.git.run(['update-index', '--replace', '-z', '--index-info'], { ...call, input }, signal);
      return await this.git.text(['write-tree'], call, signal);
    } finally {
      await removeTree(indexFile);
    }
  }

  private async merge(options: { onto: string; commit: string; at: string }, signal: AbortSignal): Promise<TreeMerge> {
    const change = await readTaskChange(this.git, this.call(), revision(options.commit), signal);
    return mergeOnto(this.git, { ...this.call(), at: options.at }, change, revision(options.onto), signal);
  }

  private async readObjects(names: readonly string[], signal: AbortSignal) {
    const results: ({ type: string; bytes: Buffer } | undefined)[] = [];
    const input = names.map((name) => `${name}\0`).join('');
    const { stdout } = await this.git.run(['cat-file', '--batch', '-z'], { ...this.call(), input }, signal);
    let offset = 0;
    for (const name of names) {
      const missing = Buffer.from(`${name} missing\n`);
      if (stdout.subarray(offset, offset + missing.length).equals(missing)) {
        offset += missing.length;
        results.push(undefined);
        continue;
      }
      const end = stdout.indexOf(10, offset);
      const [, type = '', size] = stdout.toString('latin1', offset, end).split(' ');
      results.push({ type, bytes: stdout.subarray(end + 1, end + 1 + Number(size)) });
      offset = end + 1 + Number(size) + 1;
    }
    return results;
  }

  private async fromWorkspace(paths: readonly string[]): Promise<string[]> {
    const { prefix } = await this.seeded();
    return paths.map((path) => (path.startsWith(prefix) ? path.slice(prefix.length) : path));
  }

  private async rootIn(tree: LinkedTree): Promise<string> {
    const root = resolve(tree.path, (await this.seeded()).prefix);
    await mkdir(root, { recursive: true });
    return root;
  }

  private async refuseReplacedFolders(root: string, prefix: string): Promise<void> {
    let path = root;
    for (const part of prefix.split('/').slice(0, -1)) {
      path = join(path, part);
      const found = await lookAt(path);
      if (found && !found.isDirectory()) {
        throw new ToolRefusal(
          `The workspace folder ${prefix} is no folder any more. Make it a folder again and put the files into it.`,
        );
      }
    }
  }

  private worktree(name: string): LinkedTree {
    return this.linkedTree('worktrees', `worktree-${checkedName(name)}`, name);
  }

  private checkoutTree(name: string): LinkedTree {
    return this.linkedTree('checkouts', `checkout-${checkedName(name)}`, name);
  }

  private linkedTree(kind: string, id: string, name: string): LinkedTree {
    const { git, repositoryFolder, folder } = this;
    const indexFile = join(folder, 'indexes', id);
    return new LinkedTree({ git, repositoryFolder, indexFile, path: join(folder, kind, name), id });
  }

  private call(): GitCall {
    return { cwd: this.folder, gitDir: this.repositoryFolder };
  }
}

/** Everything that reaches a git command line is a hash or one of our branches, never an option. */
function revision(text: string): string {
  if (!REVISION.test(text)) {
    throw new Error(`Not a commit, a tree or a branch of a run's repository: ${text}`);
  }
  return text;
}

function checkedName(name: string): string {
  if (!NAME.test(name)) {
    throw new Error(`Not a name for a folder of a run: ${name}`);
  }
  return name;
}

function explainStaging(error: unknown): never {
  if (error instanceof StagingError) {
    throw new ToolRefusal(
      `The worktree cannot be handed in as it is. git says: ${error.line}. Rename, delete or repair that file and try again.`,
      { cause: error },
    );
  }
  throw error;
}

/** In the markers, words instead of hashes. */
async function nameSides(root: string, merge: TreeMerge): Promise<void> {
  for (const path of merge.conflicts) {
    const file = join(root, path);
    if (!(await lookAt(file))?.isFile()) {
      continue;
    }
    const text = await readFile(file, 'latin1');
    const named = text
      .replaceAll(`<<<<<<< ${merge.labels.onto}`, '<<<<<<< integrated work of the team')
      .replaceAll(`>>>>>>> ${merge.labels.task}`, '>>>>>>> your work');
    if (named !== text) {
      await writeFile(file, named, 'latin1');
    }
  }
}
