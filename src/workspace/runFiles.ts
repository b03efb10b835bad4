/**
 * A run's files as the services see them: where it began, a worktree for each try of a task, checks on exact trees, the
 * integration branch. `GitRunFiles` does it with the run's private repository; a simulation and a replay do it without a disk.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { CheckRun } from '../domain/approval.ts';
import type { HeldChange } from '../domain/fileChange.ts';
import type { AcceptanceCheck, CheckResult, CheckStage } from '../domain/proof.ts';
import type { RunPolicy } from '../domain/policy.ts';
import type { Seed } from '../domain/run.ts';
import { EXECUTABLE, protectedChanges, REGULAR, type AllowedByPath } from './protectedChanges.ts';
import type { CommitNote, MergeOutcome, RunRepository, TaskCommit } from './repository.ts';
import { openTaskWorkspace, type TaskWorkspace, type WorkspaceTools } from './taskWorkspace.ts';
import { openGuardrails } from './openGuardrails.ts';
import { runCheck } from './verification/acceptance.ts';
import { checkRunOf, readingAhead } from './verification/checkRuns.ts';

/** Whose files: one try of one task. It has a worktree of its own, so nothing of an earlier try is in it. */
export interface TaskTry {
  readonly id: string;
  readonly key: string;
  readonly attempt: number;
}

export interface RunFiles {
  /** Ends what processes an earlier host left of this run. */
  endSurvivors(): Promise<void>;
  /** Takes over the working tree as it is now; the second time it answers with the same seed. */
  seed(options: { at: string }, signal: AbortSignal): Promise<Seed>;
  /** Puts the integration branch where the ledger says that it stands. */
  standAt(commit: string, signal: AbortSignal): Promise<void>;
  task(task: TaskTry): TaskFiles;
}

export interface TaskFiles {
  /**
   * The worktree at `base`. That of a try which has begun is opened as it is; for any other it is made anew, since a crash
   * may have left one that stands elsewhere.
   */
  open(base: string, hasBegun: boolean, signal: AbortSignal): Promise<TaskWorkspace>;
  /**
   * Puts back what the worktree has of protected files beyond `base` and what was allowed; answers what that was. Rejects
   * with a ToolRefusal when the worktree holds something that its author has to mend first.
   */
  holdBack(base: string, allowed: AllowedByPath, signal: AbortSignal): Promise<HeldChange[]>;
  /** Makes those changes after all. */
  putThrough(base: string, changes: DeepReadonly<HeldChange[]>, signal: AbortSignal): Promise<void>;
  /** What the worktree holds now as one commit on `base`; the same content, base and note give the same commit. */
  commit(base: string, note: CommitNote, signal: AbortSignal): Promise<TaskCommit>;
  hasChanges(from: string, to: string, signal: AbortSignal): Promise<boolean>;
  /** Replays the task's commit on `onto` as one commit with that parent. Changes no branch. */
  merge(options: CommitNote & { onto: string; commit: string }, signal: AbortSignal): Promise<MergeOutcome>;
  /** Moves the worktree to `onto` with the changes of its commit replayed; files in conflict carry markers. */
  rebase(options: { onto: string; commit: string; at: string }, signal: AbortSignal): Promise<void>;
  /** Moves the integration branch on to the task's merge. */
  integrate(from: string, to: string, signal: AbortSignal): Promise<void>;
  /**
   * What each check comes to on a tree where it is a command; undefined for one that is none, or cannot be found there.
   * Rejects with a ToolRefusal where one is a command that nobody runs.
   * `requestIds` name what a person may be asked about each.
   */
  checkRuns(request: CheckRunsRequest, signal: AbortSignal): Promise<(CheckRun | undefined)[]>;
  /** Runs the checks one after the other on a fresh checkout; `onResult` is called as each ends. */
  runChecks(request: ChecksRequest, onResult: (result: CheckResult) => void, signal: AbortSignal): Promise<void>;
}

export interface CheckRunsRequest {
  readonly checks: DeepReadonly<AcceptanceCheck[]>;
  /** Commit or tree. */
  readonly on: string;
  readonly policy: RunPolicy;
  readonly requestIds: readonly string[];
}

export interface ChecksRequest {
  readonly stage: CheckStage;
  readonly checks: DeepReadonly<AcceptanceCheck[]>;
  /** Commit or tree that `unchanged` compares with. */
  readonly base: string;
  readonly on: TaskCommit;
}

export class GitRunFiles implements RunFiles {
  private readonly runId: string;
  private readonly repository: RunRepository;
  private readonly tools: WorkspaceTools;

  constructor(runId: string, repository: RunRepository, tools: WorkspaceTools) {
    this.runId = runId;
    this.repository = repository;
    this.tools = tools;
  }

  async endSurvivors(): Promise<void> {
    await this.tools.processes.endSurvivors(this.runId);
  }

  seed(options: { at: string }, signal: AbortSignal): Promise<Seed> {
    return this.repository.seed(options, signal);
  }

  async standAt(commit: string, signal: AbortSignal): Promise<void> {
    await this.repository.advanceIntegration(await this.repository.integrationHead(signal), commit, signal);
  }

  task(task: TaskTry): TaskFiles {
    return new GitTaskFiles(task, this.repository, this.tools);
  }
}

class GitTaskFiles implements TaskFiles {
  private readonly task: TaskTry;
  private readonly worktree: string;
  private readonly repository: RunRepository;
  private readonly tools: WorkspaceTools;

  constructor(task: TaskTry, repository: RunRepository, tools: WorkspaceTools) {
    this.task = task;
    this.worktree = `${task.key}-${task.attempt}`;
    this.repository = repository;
    this.tools = tools;
  }

  async open(base: string, hasBegun: boolean, signal: AbortSignal): Promise<TaskWorkspace> {
    if (!hasBegun) {
      await this.repository.removeWorktree(this.worktree);
    }
    const root = await this.repository.addWorktree(this.worktree, base, signal);
    const box = await this.repository.boxOf('worktree', this.worktree);
    return openTaskWorkspace({ root, box }, this.task.id, this.tools);
  }

  async holdBack(base: string, allowed: AllowedByPath, signal: AbortSignal): Promise<HeldChange[]> {
    const { repository, worktree } = this;
    const held = await protectedChanges(repository, worktree, { base, allowed }, signal);
    if (held.length > 0) {
      const before = held.map(({ change, before }) => ({ path: change.path, ...before }));
      await repository.setFiles(worktree, base, before, signal);
    }
    return held.map(({ change }) => change);
  }

  putThrough(base: string, changes: DeepReadonly<HeldChange[]>, signal: AbortSignal): Promise<void> {
    const files = changes.map(({ path, texts, isExecutable }) => ({
      path,
      mode: isExecutable ? EXECUTABLE : REGULAR,
      bytes: texts?.after === undefined ? undefined : Buffer.from(texts.after),
    }));
    return this.repository.setFiles(this.worktree, base, files, signal);
  }

  commit(base: string, note: CommitNote, signal: AbortSignal): Promise<TaskCommit> {
    return this.repository.commitWorktree(this.worktree, base, note, signal);
  }

  async hasChanges(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return (await this.repository.changedPaths(from, to, signal)).length > 0;
  }

  merge(options: CommitNote & { onto: string; commit: string }, signal: AbortSignal): Promise<MergeOutcome> {
    return this.repository.mergeTask(options, signal);
  }

  async rebase(options: { onto: string; commit: string; at: string }, signal: AbortSignal): Promise<void> {
    await this.repository.rebaseWorktree(this.worktree, options, signal);
  }

  async integrate(from: string, to: string, signal: AbortSignal): Promise<void> {
    await this.repository.advanceIntegration(from, to, signal);
  }

  async checkRuns({ checks, on, policy }: CheckRunsRequest, signal: AbortSignal): Promise<(CheckRun | undefined)[]> {
    const guardrails = (await openGuardrails()).under(policy);
    return readingAhead(
      (textOf) => checks.map((check) => checkRunOf(check, guardrails, textOf)),
      (paths) => this.repository.readTexts(on, paths, signal),
    );
  }

  async runChecks(request: ChecksRequest, onResult: (result: CheckResult) => void, signal: AbortSignal): Promise<void> {
    const { on, stage, base } = request;
    const { repository, tools, task } = this;
    const name = `${task.key}-${stage}`;
    const checkoutRoot = await repository.checkout(name, on.commit, signal);
    const effect = `${task.id}.check`;
    const box = await repository.boxOf('checkout', name);
    const place = { checkoutRoot, box, repository, base, tree: on.tree, processes: tools.processes, effect, stage };
    for (const [index, check] of request.checks.entries()) {
      onResult(await runCheck({ ...place, check, index }, signal));
    }
    await repository.removeCheckout(name);
  }
}
