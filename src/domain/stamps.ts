/** What an event about a task says of where it belongs and who caused it. */
import { RUNTIME, type Actor } from './events.ts';
import type { AgentAtWork, Task } from './task.ts';

export interface TaskStamp {
  runId: string;
  taskId: string;
  attempt: number;
  actor: Actor;
}

/** By the runtime, about the task as it is now. */
export function stampOf({ runId, id, attempt }: Readonly<Pick<Task, 'runId' | 'id' | 'attempt'>>): TaskStamp {
  return { runId, taskId: id, attempt, actor: RUNTIME };
}

/** By the runtime, about what an agent's start did, which may be over by now. */
export function stampOfStart({ runId, taskId, attempt }: Omit<AgentAtWork, 'agentId' | 'restarts'>): TaskStamp {
  return { runId, taskId, attempt, actor: RUNTIME };
}

/** By that agent itself. */
export function stampByAgent({ agentId, ...start }: Omit<AgentAtWork, 'restarts'>): TaskStamp {
  return { ...stampOfStart(start), actor: { kind: 'agent', id: agentId } };
}
