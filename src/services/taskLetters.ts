/** The mail that the runtime writes about a task: the request to its agent, and the word of its end. */
import { waitingParentOf } from '../domain/delegation.ts';
import { RUNTIME } from '../domain/events.ts';
import { RUNTIME_ID } from '../domain/message.ts';
import type { RunView, TaskView } from '../domain/squadState.ts';
import type { Letter } from './outbox.ts';

/** Its id makes it once, also when a crash came between the start and the letter. */
export function taskRequest({ id, runId, attempt, agentId = '', title, priority }: TaskView): Letter {
  return {
    id: `${id}.${attempt}.request`,
    runId,
    sender: { kind: 'runtime', id: 'runtime' },
    receiverIds: [agentId],
    type: 'task_request',
    content: { kind: 'task-request', taskId: id, title, attempt },
    priority,
    task: { taskId: id, attempt },
  };
}

export function responseIdOf({ id, attempt }: Pick<TaskView, 'id' | 'attempt'>): string {
  return `${id}.${attempt}.response`;
}

/**
 * How a task ended, for whoever waits for it: the agent that handed it on, or the runtime. Undefined while it has not, and
 * for what was planned and cancelled before it began.
 */
export function taskResponse(run: RunView, task: TaskView): Letter | undefined {
  const { id, runId, attempt, agentId, phase, priority } = task;
  const isEnd = phase === 'proven' || phase === 'failed' || (phase === 'cancelled' && task.parentTaskId !== undefined);
  if (!isEnd) {
    return undefined;
  }
  return {
    id: responseIdOf(task),
    runId,
    sender: agentId === undefined ? RUNTIME : { kind: 'agent', id: agentId },
    receiverIds: [waitingParentOf(run.tasks, task)?.agentId ?? RUNTIME_ID],
    type: 'task_response',
    content: {
      kind: 'task-response',
      taskId: id,
      outcome: phase,
      summary: (phase === 'proven' ? task.claim?.summary : task.failure) ?? '',
    },
    priority,
    task: { taskId: id, attempt },
  };
}
