/** How a try of a task ends when its agent could not do it. */
import type { EventDraft } from '../domain/events.ts';
import { PLANNING_TASK_KEY } from '../domain/plan.ts';
import type { TaskView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';
import { triesOf } from '../domain/task.ts';

/** Tries of one task before it has failed. */
const MAX_TRIES = 2;

/** The task begins anew with whoever is free, or has failed. */
export function endOfTry(task: TaskView, why: string): EventDraft {
  const failed = task.checks.filter(({ passed }) => !passed).map(({ summary }) => summary);
  const reason = failed.length > 0 ? `${why} What still failed: ${failed.join('; ')}.` : why;
  const anew = triesOf(task) < MAX_TRIES && task.key !== PLANNING_TASK_KEY;
  return {
    type: anew ? 'task-retried' : 'task-failed',
    ...stampOf(task),
    reason,
  };
}
