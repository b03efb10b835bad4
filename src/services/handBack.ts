/** What is written down when a task is taken from its agent before it was tried to its end. */
import type { EventDraft } from '../domain/events.ts';
import { openRequests } from '../domain/requestState.ts';
import type { SquadView, TaskView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';

/**
 * The task is ready again, in a fresh worktree and without a try used up; what its agent asked a person is taken back. One
 * whose work is merged already is done.
 */
export function handBack(state: SquadView, task: TaskView, reason: string): EventDraft[] {
  if (task.merged) {
    return [{ type: 'task-proven', ...stampOf(task), ...task.merged }];
  }
  return [...withdrawRequests(state, task, reason), { type: 'task-handed-back', ...stampOf(task), reason }];
}

/** Nobody waits for these answers any more. */
export function withdrawRequests(state: SquadView, task: TaskView, reason: string): EventDraft[] {
  const run = state.runs[task.runId];
  return (run ? openRequests(run) : [])
    .filter(({ taskId }) => taskId === task.id)
    .map(({ id }) => ({ type: 'request-withdrawn', ...stampOf(task), requestId: id, reason }));
}
