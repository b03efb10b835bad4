/** One agent at work on one task: opens its worktree, lets it work, and sees to it that every end is written down and told. */
import {
  HumanError,
  LedgerClosedError,
  messageOf,
  ModelError,
  StoppedError,
  SupersededError,
} from '../domain/errors.ts';
import type { EventDraft } from '../domain/events.ts';
import type { RunView, TaskView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';
import { isCurrent, isOver, requireCurrent } from '../domain/task.ts';
import { BudgetReachedError } from '../budget/budgetKeeper.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import type { RunFiles } from '../workspace/runFiles.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';
import type { AgentCommunicationService } from './agentCommunicationService.ts';
import type { AgentFactory } from './agentFactory.ts';
import type { AgentSupervisor } from './agentSupervisor.ts';
import { withdrawRequests } from './handBack.ts';
import { settledSoon } from './settledSoon.ts';
import { taskRequest, taskResponse } from './taskLetters.ts';
import { endOfTry } from './triedTask.ts';

/** What the services need of an agent's running object. */
export interface Worker {
  processTask(work: {
    task: TaskView;
    workspace: TaskWorkspace;
    signal: AbortSignal;
    winding: AbortSignal;
  }): Promise<{ outcome: 'done'; artifact: unknown } | { outcome: 'gave-up' | 'stuck'; reason: string }>;
}

export interface TaskWorkOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly filesOf: (runId: string) => RunFiles;
  readonly factory: AgentFactory<Worker>;
  readonly supervisor: AgentSupervisor;
  readonly communication: AgentCommunicationService;
}

/** `signal` ends the work at once; once `winding` is aborted, the call under way may end and nothing else begins. */
interface Ends {
  readonly signal: AbortSignal;
  readonly winding: AbortSignal;
}

export class TaskWork {
  private readonly o: TaskWorkOptions;

  constructor(options: TaskWorkOptions) {
    this.o = options;
  }

  /**
   * Resolves when the agent's part of the attempt is over, however it ended, or, once the work must end, soon after: code
   * that does not listen is left to itself, and what it still does counts no more. Never rejects.
   */
  async perform(runId: string, taskId: string, { signal, winding }: Ends): Promise<void> {
    const taken = new AbortController();
    const listening = this.o.ledger.onDidAppend((event) => {
      if ((event.type === 'task-handed-back' || event.type === 'task-cancelled') && event.taskId === taskId) {
        taken.abort(new SupersededError(event.reason));
      }
    });
    try {
      await this.performAll(runId, taskId, { signal: AbortSignal.any([signal, taken.signal]), winding });
    } catch (error) {
      if (!signal.aborted && !taken.signal.aborted && !winding.aborted && !(error instanceof LedgerClosedError)) {
        this.o.logger.error(`${taskId}: ${messageOf(error)}`, error);
      }
    } finally {
      listening.dispose();
    }
  }

  /** One start of the agent after the other, until one comes to an end that is not its own trouble. */
  private async performAll(runId: string, taskId: string, ends: Ends): Promise<void> {
    for (;;) {
      const task = this.task(runId, taskId);
      const agent = this.o.ledger.state.standing.agents[task.agentId ?? ''];
      if (agent?.status === 'error' && agent.currentTaskId === taskId) {
        if ((await this.o.supervisor.remedy(task, AbortSignal.any([ends.signal, ends.winding]))) === 'over') {
          await this.respond(this.task(runId, taskId));
          return;
        }
      }
      if (!(await this.performOnce(task, ends))) {
        return;
      }
    }
  }

  /** Whether the agent is in trouble now and this task still its. */
  private async performOnce(task: TaskView, { signal, winding }: Ends): Promise<boolean> {
    const [cut, over] = [new AbortController(), new AbortController()];
    const working = AbortSignal.any([signal, cut.signal]);
    // What the ledger says cuts the work, so that it does so on every replay.
    const listening = this.o.ledger.onDidAppend((event) => {
      if (event.type === 'agent-silent' && event.taskId === task.id) {
        cut.abort(new SupersededError(event.reason));
      }
    });
    const watching = this.o.supervisor.watch(task, AbortSignal.any([signal, over.signal])).catch(() => undefined);
    await settledSoon(this.start(task, { signal: working, winding }), working, this.o.clock);
    listening.dispose();
    over.abort(new StoppedError('The agent has come to an end.'));
    await watching;
    const agent = this.o.ledger.state.standing.agents[task.agentId ?? ''];
    return !signal.aborted && !winding.aborted && agent?.status === 'error' && agent.currentTaskId === task.id;
  }

  private async start(task: TaskView, { signal, winding }: Ends): Promise<void> {
    const { attempt, restarts } = task;
    try {
      winding.throwIfAborted();
      const workspace = await this.openWorkspace(task.id, task.runId, signal);
      const result = await this.o.factory
        .runningAgent(task.agentId ?? '')
        .processTask({ task, workspace, signal, winding });
      if (result.outcome !== 'done') {
        signal.throwIfAborted();
        requireCurrent(task, { attempt, restarts });
        if (result.outcome === 'stuck') {
          this.o.supervisor.stuck(task, result.reason);
          return;
        }
        this.o.ledger.append(endOfTry(task, result.reason));
      }
      await this.respond(task);
    } catch (error) {
      if (signal.aborted || !isCurrent(task, { attempt, restarts }) || isNoFailure(error)) {
        return;
      }
      this.o.logger.warn(`${task.id}: ${messageOf(error)}`);
      if (!isOver(task.phase) && !isOthersFault(error)) {
        this.o.supervisor.crashed(task, messageOf(error));
        return;
      }
      if (!isOver(task.phase)) {
        appendToTask(this.o.ledger, task, { type: 'task-failed', reason: messageOf(error) });
      }
      await this.respond(task);
    }
  }

  /** Whoever waits learns each task's fate, whatever it was; once, also when a crash came between the end and the letter. */
  async respond(task: TaskView): Promise<void> {
    const { communication } = this.o;
    const letter = taskResponse(this.run(task.runId), task);
    if (letter && !communication.isDone(task.runId, letter.id)) {
      await communication.post(letter);
      if (this.run(task.runId).messages[letter.id]?.receiver.kind === 'runtime') {
        await communication.acknowledge(letter.id);
      }
    }
  }

  /** Ends a task that nobody needs, in this turn, and tells whoever waits for it. */
  cancel(task: TaskView, reason: string): void {
    this.o.ledger.append(...withdrawRequests(this.o.ledger.state, task, reason));
    appendToTask(this.o.ledger, task, { type: 'task-cancelled', reason });
    this.respond(task).catch((error: unknown) => {
      // The next start tells it.
      this.o.logger.warn(`${task.id}: ${messageOf(error)}`);
    });
  }

  private async openWorkspace(taskId: string, runId: string, signal: AbortSignal): Promise<TaskWorkspace> {
    const task = this.task(runId, taskId);
    const base = task.baseCommit ?? this.run(runId).integration?.commit ?? '';
    const workspace = await this.o
      .filesOf(runId)
      .task(task)
      .open(base, task.phase !== 'ready', signal);
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

/** Work ends without a word about the task: it goes on later, or elsewhere. */
function isNoFailure(error: unknown): boolean {
  return error instanceof LedgerClosedError || error instanceof BudgetReachedError || error instanceof StoppedError;
}

/** What a fresh start of the agent would not help against. */
function isOthersFault(error: unknown): boolean {
  return error instanceof ModelError || error instanceof HumanError;
}

/** Appends an event of the runtime about a task, stamped with whose and which attempt it is. */
export function appendToTask(ledger: Ledger, task: TaskView, draft: TaskDraft): ReturnType<Ledger['append']> {
  // The draft's type and fields belong together; only the spread with the stamp loses that.
  return ledger.append({ ...draft, ...stampOf(task) });
}

type Unstamped<Draft> = Draft extends { type: `task-${string}` | `agent-${string}` }
  ? Omit<Draft, 'runId' | 'taskId' | 'attempt' | 'actor'>
  : never;
type TaskDraft = Unstamped<EventDraft>;
