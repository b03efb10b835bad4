/** One agent at work on one task: opens its worktree, lets it work, and sees to it that every end is written down and told. */
import { LedgerClosedError, messageOf, SupersededError } from '../domain/errors.ts';
import type { EventDraft } from '../domain/events.ts';
import { PLANNING_TASK_KEY } from '../domain/plan.ts';
import type { RunView, TaskView } from '../domain/squadState.ts';
import { triesOf } from '../domain/task.ts';
import { BudgetReachedError } from '../budget/budgetKeeper.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import type { RunFiles } from '../workspace/runFiles.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';
import type { AgentCommunicationService } from './agentCommunicationService.ts';
import type { AgentFactory } from './agentFactory.ts';
import { settledSoon } from './settledSoon.ts';
import { taskRequest, taskResponse } from './taskLetters.ts';

/** What the services need of an agent's running object. */
export interface Worker {
  processTask(work: {
    task: TaskView;
    workspace: TaskWorkspace;
    signal: AbortSignal;
  }): Promise<{ outcome: 'done'; artifact: unknown } | { outcome: 'gave-up'; reason: string }>;
}

export interface TaskWorkOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly filesOf: (runId: string) => RunFiles;
  readonly factory: AgentFactory<Worker>;
  readonly communication: AgentCommunicationService;
}

const runtime = { kind: 'runtime' as const, id: 'runtime' };
/** Tries of one task before it has failed. */
const MAX_ATTEMPTS = 2;

export class TaskWork {
  private readonly o: TaskWorkOptions;

  constructor(options: TaskWorkOptions) {
    this.o = options;
  }

  /**
   * Resolves when the agent's part of the attempt is over, however it ended, or, once the work must end, soon after: code
   * that does not listen is left to itself, and what it still does counts no more. Rejects only when an end could not be
   * told.
   */
  async perform(runId: string, taskId: string, signal: AbortSignal): Promise<void> {
    const taken = new AbortController();
    const listening = this.o.ledger.onDidAppend((event) => {
      if (event.type === 'task-handed-back' && event.taskId === taskId) {
        taken.abort(new SupersededError(event.reason));
      }
    });
    try {
      const working = AbortSignal.any([signal, taken.signal]);
      await settledSoon(this.start(runId, taskId, working), working, this.o.clock);
    } finally {
      listening.dispose();
    }
  }

  private async start(runId: string, taskId: string, signal: AbortSignal): Promise<void> {
    try {
      const workspace = await this.openWorkspace(taskId, runId, signal);
      const task = this.task(runId, taskId);
      const result = await this.o.factory.runningAgent(task.agentId ?? '').processTask({ task, workspace, signal });
      if (result.outcome === 'gave-up') {
        signal.throwIfAborted();
        this.giveUp(this.task(runId, taskId), result.reason);
      }
      await this.respond(this.task(runId, taskId));
    } catch (error) {
      if (
        signal.aborted ||
        error instanceof LedgerClosedError ||
        error instanceof BudgetReachedError ||
        error instanceof SupersededError
      ) {
        return;
      }
      this.o.logger.warn(`${taskId}: ${messageOf(error)}`);
      appendToTask(this.o.ledger, this.task(runId, taskId), { type: 'task-failed', reason: messageOf(error) });
      await this.respond(this.task(runId, taskId));
    }
  }

  /** The runtime learns each task's fate, whatever it was; once, also when a crash came between the end and the letter. */
  async respond(task: TaskView): Promise<void> {
    const letter = taskResponse(task);
    if (letter && !this.o.communication.isDone(task.runId, letter.id)) {
      await this.o.communication.post(letter);
      await this.o.communication.acknowledge(letter.id);
    }
  }

  private async openWorkspace(taskId: string, runId: string, signal: AbortSignal): Promise<TaskWorkspace> {
    const task = this.task(runId, taskId);
    const base = task.baseCommit ?? this.run(runId).integration?.commit ?? '';
    const workspace = await this.o.filesOf(runId).task(task).open(base, signal);
    signal.throwIfAborted();
    if (task.phase === 'ready') {
      appendToTask(this.o.ledger, task, { type: 'task-started', baseCommit: base });
    }
    await this.o.communication.post(taskRequest(this.task(runId, taskId)));
    signal.throwIfAborted();
    const agent = this.o.ledger.state.standing.agents[task.agentId ?? ''];
    if (agent?.status === 'active') {
      appendToTask(this.o.ledger, task, { type: 'agent-began', agentId: agent.id });
    }
    return workspace;
  }

  private giveUp(task: TaskView, why: string): void {
    const failed = task.checks.filter(({ passed }) => !passed).map(({ summary }) => summary);
    const reason = failed.length > 0 ? `${why} What still failed: ${failed.join('; ')}.` : why;
    const anew = triesOf(task) < MAX_ATTEMPTS && task.key !== PLANNING_TASK_KEY;
    appendToTask(this.o.ledger, task, { type: anew ? 'task-retried' : 'task-failed', reason });
  }

  private run(runId: string): RunView {
    const run = this.o.ledger.state.runs[runId];
    if (!run) {
      throw new Error(`No run ${runId}`);
    }
    return run;
  }

  private task(runId: string, taskId: string): TaskView {
    const task = this.run(runId).tasks[taskId];
    if (!task) {
      throw new Error(`No task ${taskId}`);
    }
    return task;
  }
}

/** Appends an event of the runtime about a task, stamped with whose and which attempt it is. */
export function appendToTask(ledger: Ledger, task: TaskView, draft: TaskDraft): ReturnType<Ledger['append']> {
  // The draft's type and fields belong together; only the spread with the stamp loses that.
  return ledger.append({ ...draft, runId: task.runId, taskId: task.id, attempt: task.attempt, actor: runtime });
}

type Unstamped<Draft> = Draft extends { type: `task-${string}` | `agent-${string}` }
  ? Omit<Draft, 'runId' | 'taskId' | 'attempt' | 'actor'>
  : never;
type TaskDraft = Unstamped<EventDraft>;
