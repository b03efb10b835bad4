/**
 * Files of runs without a disk: trees are maps, commits are named by their content, merges go file by file. They outlive a
 * crash, and what was being done when it came may be done or not.
 */
import { checkRunOf } from '../../../src/workspace/verification/checkRuns.ts';
import { guardrails } from '../guardrails.ts';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import picomatch from 'picomatch';
import { GitError, ToolRefusal } from '../../../src/domain/errors.ts';
import { allowedTexts, type HeldChange } from '../../../src/domain/fileChange.ts';
import type { CheckResult } from '../../../src/domain/proof.ts';
import type { FileChange, Seed } from '../../../src/domain/run.ts';
import { judgePath } from '../../../src/guardrails/pathRules.ts';
import type { Ledger } from '../../../src/ports.ts';
import type { SquadFiles } from '../../../src/services/gitSquadFiles.ts';
import type { RunResults } from '../../../src/services/runResults.ts';
import type { TaskCommit } from '../../../src/workspace/repository.ts';
import type { AllowedByPath } from '../../../src/workspace/protectedChanges.ts';
import type { ChecksRequest, RunFiles, TaskFiles, TaskTry } from '../../../src/workspace/runFiles.ts';
import type { TaskWorkspace } from '../../../src/workspace/taskWorkspace.ts';
import type { Life, SimulatedTime } from './simulatedTime.ts';

type Tree = Readonly<Record<string, string>>;

interface Commit {
  readonly tree: string;
  readonly parent: string | null;
  readonly message: string;
}

/** What is on the disk of one run. */
export interface SimulatedDisk {
  readonly trees: Record<string, Tree>;
  readonly commits: Record<string, Commit>;
  readonly worktrees: Record<string, Record<string, string>>;
  head: string;
}

export interface WorldOfFiles {
  readonly time: SimulatedTime;
  readonly disks: Map<string, SimulatedDisk>;
  /** Throws when the fault plan wants this operation to fail. */
  readonly mayFail: (operation: string) => void;
}

const WORKSPACE: Tree = {
  'README.md': 'A sample.\n',
  'package.json': '{ "scripts": { "test": "node --test" } }\n',
  'shared.txt': 'first line\n',
};
const LONGEST_OPERATION_MS = 40;

export class SimulatedFiles implements SquadFiles {
  private readonly world: WorldOfFiles;
  private readonly life: Life;

  constructor(world: WorldOfFiles, life: Life) {
    this.world = world;
    this.life = life;
  }

  runFiles(runId: string): SimulatedRunFiles {
    return new SimulatedRunFiles(this.world, this.life, this.disk(runId));
  }

  results({ ledger }: { ledger: Ledger }): RunResults {
    const refuse = (): Promise<never> => Promise.reject(new Error('Nobody asks for this here.'));
    return {
      open: () => {
        for (const { id } of Object.values(ledger.state.runs).filter(({ phase }) => phase === 'ended')) {
          this.tidy(id);
        }
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
      handOver: () => Promise.resolve(undefined),
      diff: async (run) =>
        run.seed && run.integration
          ? {
              tree: run.integration.tree,
              files: await this.runFiles(run.id).changes(run.seed.tree, run.integration.tree),
            }
          : undefined,
      tidy: (runId) => {
        if (!this.life.over && ledger.state.runs[runId]?.phase === 'ended') {
          this.tidy(runId);
        }
        return Promise.resolve();
      },
      apply: refuse,
      branch: refuse,
      discard: refuse,
      undo: refuse,
      fileAt: refuse,
    };
  }

  private tidy(runId: string): void {
    const disk = this.disk(runId);
    for (const name of Object.keys(disk.worktrees)) {
      delete disk.worktrees[name];
    }
  }

  private disk(runId: string): SimulatedDisk {
    const known = this.world.disks.get(runId) ?? { trees: {}, commits: {}, worktrees: {}, head: '' };
    this.world.disks.set(runId, known);
    return known;
  }
}

class SimulatedRunFiles implements RunFiles {
  private readonly world: WorldOfFiles;
  private readonly life: Life;
  private readonly disk: SimulatedDisk;

  constructor(world: WorldOfFiles, life: Life, disk: SimulatedDisk) {
    this.world = world;
    this.life = life;
    this.disk = disk;
  }

  endSurvivors(): Promise<void> {
    return this.take('survivors', () => undefined);
  }

  seed(): Promise<Seed> {
    return this.take('seed', () => {
      const { commit, tree } = this.commit(WORKSPACE, null, 'The seed');
      this.disk.head ||= commit;
      return { baseCommit: null, commit, tree, prefix: '' };
    });
  }

  standAt(commit: string): Promise<void> {
    return this.take('stand', () => {
      this.disk.head = commit;
    });
  }

  task({ key, attempt }: TaskTry): TaskFiles {
    const name = `${key}-${attempt}`;
    return {
      open: (base, hasBegun) =>
        this.take('worktree', () => {
          if (!hasBegun) {
            delete this.disk.worktrees[name];
          }
          this.disk.worktrees[name] ??= { ...this.treeOf(base) };
          return new SimulatedWorkspace(this.disk.worktrees[name], (operation, work) => this.take(operation, work));
        }),
      holdBack: (base, allowed) =>
        this.take('hold', () => this.holdBack(this.worktree(name), this.treeOf(base), allowed)),
      putThrough: (_base, changes) =>
        this.take('through', () => {
          for (const { path, texts } of changes) {
            setFile(this.worktree(name), path, texts?.after);
          }
        }),
      commit: (base, note) => this.take('commit', () => this.commit({ ...this.worktree(name) }, base, note.message)),
      hasChanges: (from, to) => this.take('changes', () => this.changed(from, to).length > 0),
      merge: ({ onto, commit, message }) =>
        this.take('merge', () => {
          const { tree, conflicts } = this.merge(onto, commit);
          return conflicts.length > 0
            ? { kind: 'conflict' as const, tree: this.store(tree), files: conflicts }
            : { kind: 'merged' as const, ...this.commit(tree, onto, message) };
        }),
      rebase: ({ onto, commit }) =>
        this.take('rebase', () => {
          const worktree = (this.disk.worktrees[name] ??= {});
          for (const path of Object.keys(worktree)) {
            delete worktree[path];
          }
          Object.assign(worktree, this.merge(onto, commit).tree);
        }),
      integrate: (from, to) =>
        this.take('advance', () => {
          assert.ok(this.disk.head === from || this.disk.head === to, 'the integration branch was moved by another');
          this.disk.head = to;
        }),
      checkRuns: ({ checks, on }) =>
        this.take('read checks', () => {
          const tree = this.disk.trees[this.disk.commits[on]?.tree ?? on] ?? {};
          return checks.map((check) => checkRunOf(check, guardrails, (path) => tree[path]));
        }),
      runChecks: (request, onResult) => this.runChecks(request, onResult),
    };
  }

  /** What stands in files that are protected by their names and is neither as the task began nor allowed. */
  private holdBack(worktree: Record<string, string>, base: Tree, allowed: AllowedByPath): HeldChange[] {
    const held: HeldChange[] = [];
    for (const path of new Set([...Object.keys(worktree), ...Object.keys(base)])) {
      const [before, after] = [base[path], worktree[path]];
      const verdict = judgePath('write', path, '');
      const texts = allowedTexts(before, allowed.get(path) ?? []);
      if (verdict.kind !== 'allow' && !texts.includes(after)) {
        const was = texts.at(-1);
        const change = { ...(was === undefined ? {} : { before: was }), ...(after === undefined ? {} : { after }) };
        held.push({ path, why: verdict.reason, texts: change });
        setFile(worktree, path, was);
      }
    }
    return held;
  }

  changes(from: string, to: string): Promise<FileChange[]> {
    return this.take('changes', () =>
      this.changed(from, to).map((path) => ({ path, status: 'modified' as const, added: 1, removed: 1 })),
    );
  }

  private async runChecks(request: ChecksRequest, onResult: (result: CheckResult) => void): Promise<void> {
    const { stage, on } = request;
    for (const [index, check] of request.checks.entries()) {
      const failure = await this.take('check', () => {
        const tree = this.disk.trees[on.tree] ?? {};
        switch (check.kind) {
          case 'command': {
            const [, path = '', text = ''] = /^contains (\S+) (\S+)$/.exec(check.command) ?? [];
            return tree[path]?.includes(text) ? undefined : `${path} does not contain ${text}`;
          }
          case 'files':
            return check.exist?.find((path) => tree[path] === undefined);
          case 'tests':
            return undefined;
        }
      });
      const passed = failure === undefined;
      const summary = failure ?? 'as it should be';
      onResult({ index, stage, tree: on.tree, passed, summary, output: '', durationMs: this.world.time.now % 100 });
    }
  }

  private changed(from: string, to: string): string[] {
    const [a, b] = [this.treeOf(from), this.treeOf(to)];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((path) => a[path] !== b[path]).sort();
  }

  /** File by file: whoever changed a file alone wins, two different changes conflict. */
  private merge(onto: string, commit: string): { tree: Tree; conflicts: string[] } {
    const base = this.treeOf(this.disk.commits[commit]?.parent ?? '');
    const [ours, theirs] = [this.treeOf(onto), this.treeOf(commit)];
    const conflicts: string[] = [];
    const tree: Record<string, string> = {};
    for (const path of new Set([...Object.keys(base), ...Object.keys(ours), ...Object.keys(theirs)])) {
      const [before, our, their] = [base[path], ours[path], theirs[path]];
      let merged = our === before ? their : our;
      if (our !== before && their !== before && our !== their) {
        conflicts.push(path);
        merged = `<<<<<<<\n${our ?? ''}=======\n${their ?? ''}>>>>>>>\n`;
      }
      if (merged !== undefined) {
        tree[path] = merged;
      }
    }
    return { tree, conflicts: conflicts.sort() };
  }

  private treeOf(revision: string): Tree {
    return this.disk.trees[this.disk.commits[revision]?.tree ?? revision] ?? {};
  }

  private worktree(name: string): Record<string, string> {
    const worktree = this.disk.worktrees[name];
    if (!worktree) {
      throw new GitError(['add'], 128, `no worktree ${name}`);
    }
    return worktree;
  }

  private commit(tree: Tree, parent: string | null, message: string): TaskCommit {
    const stored = this.store(tree);
    const commit = hash(JSON.stringify([stored, parent, message]));
    this.disk.commits[commit] = { tree: stored, parent, message };
    return { commit, tree: stored };
  }

  private store(tree: Tree): string {
    const sorted = Object.fromEntries(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)));
    const name = hash(JSON.stringify(sorted));
    this.disk.trees[name] = sorted;
    return name;
  }

  /** It takes a while before the disk changes and a while until that is known. */
  private async take<T>(operation: string, work: () => T): Promise<T> {
    await this.world.time.pass(LONGEST_OPERATION_MS, this.life);
    this.world.mayFail(operation);
    const result = work();
    await this.world.time.pass(LONGEST_OPERATION_MS / 2, this.life);
    return result;
  }
}

type Take = <T>(operation: string, work: () => T) => Promise<T>;

class SimulatedWorkspace implements TaskWorkspace {
  readonly root = '/workspace';
  readonly isSandboxed = false;
  readonly instructions = '';
  private readonly files: Record<string, string>;
  private readonly take: Take;

  constructor(files: Record<string, string>, take: Take) {
    this.files = files;
    this.take = take;
  }

  leadsTo(named: string): string {
    return named;
  }

  textOf(file: string): string | undefined {
    return this.files[file];
  }

  holdsSecrets(): boolean {
    return false;
  }

  readText(file: string): Promise<string> {
    return this.take('read', () => {
      const text = this.files[file];
      if (text === undefined) {
        throw new ToolRefusal(`${file} does not exist.`);
      }
      return text;
    });
  }

  writeText(file: string, text: string): Promise<{ created: boolean }> {
    return this.take('write', () => {
      const created = this.files[file] === undefined;
      this.files[file] = text;
      return { created };
    });
  }

  talk(): Promise<never> {
    return Promise.reject(new ToolRefusal('No program is talked to here.'));
  }

  listFiles(): Promise<string[]> {
    return this.take('list', () => Object.keys(this.files).sort());
  }

  search({ query, glob = '**' }: { query: string; glob?: string }): Promise<string[]> {
    const matches = picomatch(glob);
    return this.take('search', () =>
      Object.entries(this.files)
        .filter(([path, text]) => matches(path) && text.includes(query))
        .map(([path]) => `${path}:1:${query}`),
    );
  }

  /** `append PATH TEXT` is all that can be run: doing it twice can be seen. */
  async run({ command, onOutput }: { command: string; onOutput: (text: string) => void }): Promise<{
    exitCode: number | null;
    signal: string | null;
    output: string;
    truncated: boolean;
    timedOut: boolean;
    durationMs: number;
  }> {
    const [, path, text = ''] = /^append (\S+) (\S+)$/.exec(command) ?? [];
    return this.take('process', () => {
      if (path !== undefined) {
        this.files[path] = `${this.files[path] ?? ''}${text}\n`;
      }
      onOutput(text);
      return {
        exitCode: path === undefined ? 127 : 0,
        signal: null,
        output: text,
        truncated: false,
        timedOut: false,
        durationMs: 5,
      };
    });
  }

  runTests(): Promise<{ passed: boolean; summary: string }> {
    return this.take('tests', () => ({ passed: true, summary: '1 passed, 0 failed' }));
  }
}

function setFile(files: Record<string, string>, path: string, text: string | undefined): void {
  if (text === undefined) {
    delete files[path];
  } else {
    files[path] = text;
  }
}

function hash(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
