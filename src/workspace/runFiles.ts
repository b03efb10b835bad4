/**
 * A run's files as the services see them: where it began, a worktree for each task, checks on exact trees, the integration
 * branch. `GitRunFiles` does it with the run's private repository; a simulation and a replay do it without a disk.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { AcceptanceCheck, CheckResult, CheckStage } from '../domain/proof.ts';
import type { FileChange, Seed } from '../domain/run.ts';
import type { CommitNote, MergeOutcome, RunRepository, TaskCommit } from './repository.ts';
import { openTaskWorkspace, type TaskWorkspace, type WorkspaceTools } from './taskWorkspace.ts';
import { runCheck } from './verification/acceptance.ts';

export interface ChecksRequest {
  /** Name of the checkout that they run in. */
  readonly name: string;
  readonly stage: CheckStage;
  readonly checks: DeepReadonly<AcceptanceCheck[]>;
  /** Commit or tree that `unchanged` compares with. */
  readonly base: string;
  readonly on: TaskCommit;
  /** Mark of the processes, see ProcessRequest. */
  readonly effect: string;
}

export interface RunFiles {
  /** Ends what processes an earlier host left of this run. */
  endSurvivors(): Promise<void>;
  /** Takes over the working tree as it is now; the second time it answers with the same seed. */
  seed(options: { at: string }, signal: AbortSignal): Promise<Seed>;
  /** Puts the integration branch where the ledger says that it stands. */
  standAt(commit: string, signal: AbortSignal): Promise<void>;
  /** A task's worktree, made at `base` unless it is there already. */
  openTask(name: string, options: { base: string; effect: string }, signal: AbortSignal): Promise<TaskWorkspace>;
  /** See `RunRepository` for these four. */
  commitWorktree(name: string, base: string, note: CommitNote, signal: AbortSignal): Promise<TaskCommit>;
  mergeTask(options: CommitNote & { onto: string; commit: string }, signal: AbortSignal): Promise<MergeOutcome>;
  rebaseWorktree(
    name: string,
    options: { onto: string; commit: string; at: string },
    signal: AbortSignal,
  ): Promise<{ conflicts: string[] }>;
  advanceIntegration(from: string, to: string, signal: AbortSignal): Promise<boolean>;
  /** Runs the checks one after the other on a fresh checkout; `onResult` is called as each ends. */
  runChecks(request: ChecksRequest, onResult: (result: CheckResult) => void, signal: AbortSignal): Promise<void>;
  changes(from: string, to: string, signal: AbortSignal): Promise<FileChange[]>;
  hasChanges(from: string, to: string, signal: AbortSignal): Promise<boolean>;
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

  async openTask(
    name: string,
    { base, effect }: { base: string; effect: string },
    signal: AbortSignal,
  ): Promise<TaskWorkspace> {
    return openTaskWorkspace(await this.repository.addWorktree(name, base, signal), effect, this.tools);
  }

  commitWorktree(name: string, base: string, note: CommitNote, signal: AbortSignal): Promise<TaskCommit> {
    return this.repository.commitWorktree(name, base, note, signal);
  }

  mergeTask(options: CommitNote & { onto: string; commit: string }, signal: AbortSignal): Promise<MergeOutcome> {
    return this.repository.mergeTask(options, signal);
  }

  rebaseWorktree(
    name: string,
    options: { onto: string; commit: string; at: string },
    signal: AbortSignal,
  ): Promise<{ conflicts: string[] }> {
    return this.repository.rebaseWorktree(name, options, signal);
  }

  advanceIntegration(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return this.repository.advanceIntegration(from, to, signal);
  }

  async runChecks(request: ChecksRequest, onResult: (result: CheckResult) => void, signal: AbortSignal): Promise<void> {
    const { name, on, stage, base, effect } = request;
    const { repository } = this;
    const checkoutRoot = await repository.checkout(name, on.commit, signal);
    const place = { checkoutRoot, repository, base, tree: on.tree, processes: this.tools.processes, effect, stage };
    for (const [index, check] of request.checks.entries()) {
      onResult(await runCheck({ ...place, check, index }, signal));
    }
    await repository.removeCheckout(name);
  }

  changes(from: string, to: string, signal: AbortSignal): Promise<FileChange[]> {
    return this.repository.changes(from, to, signal);
  }

  async hasChanges(from: string, to: string, signal: AbortSignal): Promise<boolean> {
    return (await this.repository.changedPaths(from, to, signal)).length > 0;
  }
}
