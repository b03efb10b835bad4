/**
 * From "I am finished" to proven: commit the worktree, run the acceptance checks on a fresh checkout of exactly that
 * tree, merge on to the integration branch one task at a time, check again what the merge made. Every step can be
 * repeated after a crash and ends the same.
 */
import type { EventDraft } from '../domain/events.ts';
import type { CheckResult, CheckStage } from '../domain/proof.ts';
import { taskAt, type RunView, type TaskView } from '../domain/squadState.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { requireCurrent, type AgentAtWork } from '../domain/task.ts';
import type { Ledger } from '../ports.ts';
import type { CheckRights } from './checkRights.ts';
import { describeHeld, type HeldChanges } from './heldChanges.ts';
import type { TaskCommit } from '../workspace/repository.ts';
import type { RunFiles, TaskFiles } from '../workspace/runFiles.ts';

/** Who claims by which call. */
export type Claimant = AgentAtWork & { readonly step: number };

export interface Claim {
  readonly summary: string;
  readonly artifacts?: unknown;
}

/** The event belongs to the end of the `finish_task` call and is written together with it. */
export type CompletionOutcome =
  { accepted: true; proven: EventDraft } | { accepted: false; detail: string; reopened: EventDraft };

type ReopenCause = 'claim' | 'protected' | 'checks' | 'conflict' | 'integration';

export class TaskCompletion {
  private readonly ledger: Ledger;
  private readonly held: HeldChanges;
  private readonly rights: CheckRights;
  private readonly filesOf: (runId: string) => RunFiles;
  /** One merge at a time for each run. */
  private readonly merging = new Map<string, Promise<unknown>>();
  /** Runs whose last merge was cut, so that their integration branch may be ahead of the ledger. */
  private readonly doubtful = new Set<string>();

  constructor(options: {
    ledger: Ledger;
    held: HeldChanges;
    rights: CheckRights;
    filesOf: (runId: string) => RunFiles;
  }) {
    this.ledger = options.ledger;
    this.rights = options.rights;
    this.held = options.held;
    this.filesOf = options.filesOf;
  }

  async complete(claimant: Claimant, claim: Claim, signal: AbortSignal): Promise<CompletionOutcome> {
    const stamp = stampOfStart(claimant);
    const { task, files } = this.find(claimant);
    const base = task.baseCommit;
    if (base === undefined) {
      throw new Error(`${task.id} has no worktree.`);
    }
    if (task.merged) {
      // A crash came between the merge and this call's end.
      return { accepted: true, proven: { type: 'task-proven', ...stamp, ...task.merged } };
    }
    this.tell(claimant, { type: 'task-claimed', ...stampByAgent(claimant), ...claim });
    const held = await this.held.holdBack(claimant, signal);
    if (held.length > 0) {
      return this.reopen(claimant, 'protected', `${describeHeld(held)} Then call finish_task again.`);
    }
    const work = await files.commit(base, commitOptions(task, claim), signal);
    this.tell(claimant, { type: 'task-committed', ...stamp, ...work });
    // A person who was asked about a check has held it up; then it is claimed again.
    const again: EventDraft = { type: 'task-claimed', ...stampByAgent(claimant), ...claim };
    const failed = await this.check(claimant, { stage: 'task', base, on: work, again }, signal);
    if (failed.length > 0) {
      return this.reopen(claimant, 'checks', describeFailures(failed));
    }
    this.tell(claimant, { type: 'task-verified', ...stamp, tree: work.tree });
    if (!(await files.hasChanges(base, work.tree, signal))) {
      return { accepted: true, proven: { type: 'task-proven', ...stamp, ...work } };
    }
    return this.inTurn(claimant.runId, async () => {
      try {
        return await this.merge(claimant, claim, work.commit, signal);
      } catch (error) {
        this.doubtful.add(claimant.runId);
        throw error;
      }
    });
  }

  /** Moves the worktree on to the integration branch, its changes on top. Answers the files that carry conflict markers. */
  async catchUp(claimant: AgentAtWork, signal: AbortSignal): Promise<readonly string[]> {
    const { run, task, files } = this.find(claimant);
    const [base, onto] = [task.baseCommit, run.integration?.commit];
    if (base === undefined || onto === undefined || base === onto) {
      return [];
    }
    const note = commitOptions(task, { summary: 'So far.' });
    const work = await files.commit(base, note, signal);
    this.tell(claimant, { type: 'task-committed', ...stampOfStart(claimant), ...work });
    const merged = await files.merge({ onto, commit: work.commit, ...note }, signal);
    const conflicts = merged.kind === 'conflict' ? merged.files : [];
    await files.rebase({ onto, commit: work.commit, at: note.at }, signal);
    this.tell(claimant, { type: 'task-rebased', ...stampOfStart(claimant), baseCommit: onto, conflicts });
    return conflicts;
  }

  private async merge(
    claimant: Claimant,
    claim: Claim,
    commit: string,
    signal: AbortSignal,
  ): Promise<CompletionOutcome> {
    const { run, task, files } = this.find(claimant);
    const onto = run.integration?.commit;
    if (onto === undefined) {
      throw new Error(`Run ${run.id} has no integration branch.`);
    }
    if (this.doubtful.delete(run.id)) {
      await this.filesOf(run.id).standAt(onto, signal);
    }
    const merged = await files.merge({ onto, commit, ...commitOptions(task, claim) }, signal);
    const sendBack = async (cause: ReopenCause, conflicts: string[], detail: string): Promise<CompletionOutcome> => {
      const { at } = commitOptions(task, claim);
      await files.rebase({ onto, commit, at }, signal);
      this.tell(claimant, { type: 'task-rebased', ...stampOfStart(claimant), baseCommit: onto, conflicts });
      return this.reopen(claimant, cause, detail);
    };
    if (merged.kind === 'conflict') {
      return sendBack(
        'conflict',
        merged.files,
        `Others changed the same lines meanwhile. Your worktree now has their work with yours on top; these files carry conflict markers: ${merged.files.join(', ')}. Resolve them so that both changes hold, then call finish_task again.`,
      );
    }
    if (onto !== task.baseCommit) {
      const again: EventDraft = { type: 'task-verified', ...stampOfStart(claimant), tree: task.work?.tree ?? '' };
      const failed = await this.check(claimant, { stage: 'integration', base: onto, on: merged, again }, signal);
      if (failed.length > 0) {
        return sendBack(
          'integration',
          [],
          `Your change passes alone but not together with what others merged meanwhile. Your worktree now has their work too. ${describeFailures(failed)}`,
        );
      }
    }
    await files.integrate(onto, merged.commit, signal);
    const { commit: integrated, tree } = merged;
    const stamp = stampOfStart(claimant);
    this.tell(claimant, { type: 'task-merged', ...stamp, commit: integrated, tree });
    return { accepted: true, proven: { type: 'task-proven', ...stamp, commit: integrated, tree } };
  }

  /** Answers the checks that failed. Where a person did not allow one, none is run. */
  private async check(
    claimant: Claimant,
    { stage, base, on, again }: { stage: CheckStage; base: string; on: TaskCommit; again: EventDraft },
    signal: AbortSignal,
  ): Promise<CheckResult[]> {
    const { task, files } = this.find(claimant);
    if (task.acceptance.length === 0) {
      return [];
    }
    const results: CheckResult[] = [];
    const onResult = (result: CheckResult): void => {
      this.tell(claimant, { type: 'check-ended', ...stampOfStart(claimant), result });
      results.push(result);
    };
    const { refused, asked } = await this.rights.ofTask(claimant, { stage, on: on.commit }, signal);
    if (asked) {
      this.tell(claimant, again);
    }
    for (const [index, summary] of refused) {
      onResult({ index, stage, tree: on.tree, passed: false, summary, output: '', durationMs: 0 });
    }
    if (refused.size === 0) {
      await files.runChecks({ stage, checks: task.acceptance, base, on }, onResult, signal);
    }
    return results.filter(({ passed }) => !passed);
  }

  private reopen(claimant: AgentAtWork, cause: ReopenCause, detail: string): CompletionOutcome {
    return {
      accepted: false,
      detail,
      reopened: { type: 'task-reopened', ...stampOfStart(claimant), cause, detail },
    };
  }

  private inTurn<T>(runId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.merging.get(runId) ?? Promise.resolve()).then(work, work);
    this.merging.set(runId, turn);
    return turn;
  }

  /** Nothing of a claimant that was started anew, or lost its task, is written down. */
  private tell(claimant: AgentAtWork, draft: EventDraft): void {
    requireCurrent(this.find(claimant).task, claimant);
    this.ledger.append(draft);
  }

  private find(claimant: AgentAtWork): { run: RunView; task: TaskView; files: TaskFiles } {
    const { run, task } = taskAt(this.ledger.state, claimant);
    return { run, task, files: this.filesOf(run.id).task(task) };
  }
}

/** The date is the task's own, so that repeating the commit makes the same one. */
function commitOptions(task: TaskView, { summary }: Claim): { message: string; at: string } {
  return {
    message: `${task.title}\n\n${summary}\n\nDevSquad-Task: ${task.id}\n`,
    at: task.startedAt ?? task.createdAt,
  };
}

function describeFailures(failed: readonly CheckResult[]): string {
  return [
    `${failed.length === 1 ? 'A check' : `${failed.length} checks`} failed on your exact tree:`,
    ...failed.map(({ summary, output }) => `- ${summary}${output ? `\n${output.slice(-4000)}` : ''}`),
    'Mend it and call finish_task again.',
  ].join('\n');
}
