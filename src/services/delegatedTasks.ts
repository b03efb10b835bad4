/**
 * What becomes of work that an agent hands on: a task of its own, made once for each call, whose end its parent hears of by
 * mail. A parent that finishes while something is open waits for it, and holds no place at work meanwhile.
 */
import { childrenOf, keyOfNext } from '../domain/delegation.ts';
import { waitingIds } from '../domain/mailbox.ts';
import { taskAt, type RunView, type TaskView } from '../domain/squadState.ts';
import { stampOfStart } from '../domain/stamps.ts';
import { callKey, isOver, requireCurrent, type AgentAtWork, type TaskSpec } from '../domain/task.ts';
import { untilState } from '../inbox/untilState.ts';
import type { Ledger } from '../ports.ts';
import type { TaskCompletion } from './taskCompletion.ts';

/** Who hands on, in which try and by which call. */
export interface Delegator extends AgentAtWork {
  readonly step: number;
}

export type Wish = Pick<
  TaskSpec,
  'title' | 'description' | 'role' | 'type' | 'capabilities' | 'reads' | 'writes' | 'priority' | 'acceptance'
> & {
  /** Keys of tasks that the same try handed on before. */
  readonly dependsOn: readonly string[];
};

export class DelegatedTasks {
  private readonly ledger: Ledger;
  private readonly completion: Pick<TaskCompletion, 'catchUp'>;

  constructor(ledger: Ledger, completion: Pick<TaskCompletion, 'catchUp'>) {
    this.ledger = ledger;
    this.completion = completion;
  }

  /** The task that this very call made already, before a crash. */
  madeBy(delegator: Delegator): TaskView | undefined {
    const call = callKey(delegator);
    return Object.values(this.run(delegator).tasks).find(({ delegation }) => delegation?.call === call);
  }

  /** Makes the task in this turn; the run's next look at its tasks gives it to an agent. */
  create(delegator: Delegator, wish: Wish): TaskView {
    const { title, description, role, type, capabilities, reads, writes, priority, acceptance } = wish;
    const run = this.run(delegator);
    const parent = this.task(delegator);
    requireCurrent(parent, delegator);
    const key = keyOfNext(run.tasks, parent);
    const id = `${run.id}.${key}`;
    this.ledger.append({
      type: 'task-created',
      runId: run.id,
      taskId: id,
      attempt: 1,
      actor: { kind: 'agent', id: delegator.agentId },
      task: {
        ...{ title, description, role, type, capabilities, reads, writes, priority, acceptance },
        id,
        runId: run.id,
        key,
        parentTaskId: parent.id,
        delegation: { call: callKey(delegator), attempt: delegator.attempt },
        dependsOn: wish.dependsOn.map((name) => `${run.id}.${name}`),
      },
    });
    return this.task({ runId: run.id, taskId: id });
  }

  /**
   * Waits until nothing that this try handed on is open, and brings its worktree up to date with what was proven. Answers
   * what the agent must read before it can finish, or undefined when it has read all. Rejects with the signal's reason.
   */
  async join(delegator: Delegator, signal: AbortSignal): Promise<string | undefined> {
    const children = childrenOf(this.run(delegator).tasks, this.task(delegator));
    if (children.length === 0) {
      return undefined;
    }
    await this.untilOver(delegator, signal);
    const proven = children.some(({ phase }) => phase === 'proven');
    const conflicts = proven ? await this.completion.catchUp(delegator, signal) : [];
    const unread = this.hasUnread(delegator);
    if (!unread && conflicts.length === 0) {
      return undefined;
    }
    return [
      ...(unread ? ['What you handed on has ended; what came of it stands in your mail, below.'] : []),
      ...(proven ? ['Your worktree now has what was proven of it, with your own changes on top.'] : []),
      ...(conflicts.length > 0
        ? [`These files carry conflict markers, resolve them so that both changes hold: ${conflicts.join(', ')}.`]
        : []),
      'Do what is left to do, say in your summary what failed, and call finish_task again.',
    ].join(' ');
  }

  /** The run's scheduler lets the parent go on, once all have ended and there is room. */
  private async untilOver(delegator: Delegator, signal: AbortSignal): Promise<void> {
    const parent = this.task(delegator);
    if (parent.phase !== 'split' && childrenOf(this.run(delegator).tasks, parent).every(({ phase }) => isOver(phase))) {
      return;
    }
    if (parent.phase !== 'split') {
      requireCurrent(parent, delegator);
      this.ledger.append({ type: 'task-split', ...stampOfStart(delegator) });
    }
    await untilState(this.ledger, () => parent.phase !== 'split', signal);
    // It goes on, or it was cancelled in this very turn.
    signal.throwIfAborted();
  }

  private hasUnread(delegator: Delegator): boolean {
    const run = this.run(delegator);
    return [...waitingIds(run.mail, delegator.agentId)].some((id) => run.messages[id]?.type === 'task_response');
  }

  private run({ runId }: Pick<Delegator, 'runId'>): RunView {
    const run = this.ledger.state.runs[runId];
    if (!run) {
      throw new Error(`No run ${runId}`);
    }
    return run;
  }

  private task(delegator: Pick<Delegator, 'runId' | 'taskId'>): TaskView {
    return taskAt(this.ledger.state, delegator).task;
  }
}
