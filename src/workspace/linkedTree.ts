/**
 * A working tree that is linked to a run's private repository, as `git worktree add` makes it, but with an index of
 * our own beside it: what an agent does to its `.git`, HEAD or index does not change what we commit.
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GitError } from '../domain/errors.ts';
import { lookAt, removeTree } from './folders.ts';
import type { Git, GitCall } from './git.ts';
import { copyIndex } from './indexFile.ts';

export class LinkedTree {
  readonly path: string;
  private readonly git: Git;
  private readonly repositoryFolder: string;
  /** Written last when the tree is made and removed first: while it is there, the tree is complete. */
  private readonly indexFile: string;
  /** What git keeps of a linked tree in the repository. */
  private readonly metadata: string;

  /** `id` is unique in the repository; `path` is where the files are. */
  constructor(options: { git: Git; repositoryFolder: string; indexFile: string; path: string; id: string }) {
    this.git = options.git;
    this.repositoryFolder = options.repositoryFolder;
    this.indexFile = options.indexFile;
    this.path = options.path;
    this.metadata = join(options.repositoryFolder, 'worktrees', options.id);
  }

  async isComplete(): Promise<boolean> {
    const [index, folder] = await Promise.all([lookAt(this.indexFile), lookAt(this.path)]);
    return index !== undefined && folder?.isDirectory() === true;
  }

  /** Makes the tree anew, exactly as the commit is. */
  async create(commit: string, signal: AbortSignal): Promise<void> {
    await this.remove();
    await Promise.all(
      [this.path, this.metadata, dirname(this.indexFile)].map((path) => mkdir(path, { recursive: true })),
    );
    await writeFile(join(this.metadata, 'commondir'), '../..\n');
    await writeFile(join(this.metadata, 'gitdir'), `${join(this.path, '.git')}\n`);
    await writeFile(join(this.path, '.git'), `gitdir: ${this.metadata}\n`);
    await writeFile(join(this.metadata, 'HEAD'), `${commit}\n`);
    const growing = `${this.indexFile}.growing`;
    await this.git.run(['read-tree', '--reset', '-u', commit], { ...this.call(), indexFile: growing }, signal);
    await copyIndex(growing, join(this.metadata, 'index'));
    await rename(growing, this.indexFile);
  }

  async remove(): Promise<void> {
    for (const path of [this.indexFile, `${this.indexFile}.lock`, `${this.indexFile}.growing`]) {
      await removeTree(path);
    }
    await removeTree(`${this.indexFile}.growing.lock`);
    await removeTree(this.path);
    await removeTree(this.metadata);
  }

  /** Makes our index that of the commit; files that are already so need not be read again. */
  async readIndex(commit: string, signal: AbortSignal): Promise<void> {
    // Left by a git that was killed; nobody but us uses this index.
    await removeTree(`${this.indexFile}.lock`);
    try {
      await this.git.run(['read-tree', '-m', commit], this.call(), signal);
    } catch (error) {
      if (!(error instanceof GitError)) {
        throw error;
      }
      await removeTree(this.indexFile);
      await this.git.run(['read-tree', commit], this.call(), signal);
    }
  }

  /** Overwrites every file that git knows with that of `tree`, and stands on `commit`. Unknown and ignored files stay. */
  async moveTo(tree: string, commit: string, signal: AbortSignal): Promise<void> {
    await removeTree(`${this.indexFile}.lock`);
    await this.git.run(['read-tree', '--reset', '-u', tree], this.call(), signal);
    await mkdir(this.metadata, { recursive: true });
    await writeFile(join(this.metadata, 'HEAD'), `${commit}\n`);
    await copyIndex(this.indexFile, join(this.metadata, 'index'));
  }

  /** How git is called on these files with our index. The agent's side of the repository is left out of it. */
  call(): GitCall {
    return { cwd: this.path, gitDir: this.repositoryFolder, workTree: this.path, indexFile: this.indexFile };
  }
}
