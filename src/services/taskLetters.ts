/** The mail that the runtime writes about a task: the request to its agent, and the word of its end. */
import type { TaskView } from '../domain/squadState.ts';
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

/** How a task ended, for the runtime; undefined while it has not. */
export function taskResponse(task: TaskView): Letter | undefined {
  const { id, runId, attempt, agentId = '', phase, priority } = task;
  if (phase !== 'proven' && phase !== 'failed') {
    return undefined;
  }
  return {
    id: `${id}.${attempt}.response`,
    runId,
    sender: { kind: 'agent', id: agentId },
    receiverIds: ['runtime'],
    type: 'task_response',
    content: {
      kind: 'task-response',
      taskId: id,
      outcome: phase,
      summary: task.claim?.summary ?? task.failure ?? '',
    },
    priority,
    task: { taskId: id, attempt },
  };
}
