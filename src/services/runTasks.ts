/** Which tasks a run consists of: the planning task, made by the runtime, and those of the accepted plan. */
import { PLANNING_TASK_KEY, type PlanTask } from '../domain/plan.ts';
import { RUNTIME, type EventDraft } from '../domain/events.ts';
import { openRequests } from '../domain/requestState.ts';
import type { RunView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';
import { isOver, type TaskSpec } from '../domain/task.ts';

/** The task that every run begins with. */
export function planningTask(run: RunView): TaskSpec {
  return {
    id: `${run.id}.${PLANNING_TASK_KEY}`,
    runId: run.id,
    key: PLANNING_TASK_KEY,
    title: 'Plan the objective',
    description: run.objective,
    role: 'planning',
    type: 'create-project-plan',
    capabilities: [],
    dependsOn: [],
    reads: [],
    writes: [],
    priority: 5,
    acceptance: [],
  };
}

/** The tasks that an accepted plan asks for and that are not made yet, with their ids. */
export function missingTasks({ id: runId, phase, plan, tasks }: RunView): TaskSpec[] {
  const missing = (phase === 'working' ? (plan?.tasks ?? []) : []).filter(({ key }) => !tasks[`${runId}.${key}`]);
  // Readonly is gone with the copy.
  return (structuredClone(missing) as PlanTask[]).map(({ key, dependsOn, estimateMinutes, ...task }) => ({
    ...task,
    id: `${runId}.${key}`,
    runId,
    key,
    dependsOn: dependsOn.map((dependency) => `${runId}.${dependency}`),
    ...(estimateMinutes === undefined ? {} : { estimateMs: estimateMinutes * 60_000 }),
  }));
}

/** Whether all its work stands still until a person raises a budget, or refuses to. */
export function waitsForRaise(run: RunView): boolean {
  return (
    openRequests(run).some(({ subject }) => subject.kind === 'raise') &&
    Object.keys(run.reservations).length === 0 &&
    Object.values(run.tasks).every(({ openCall }) => openCall === undefined)
  );
}

/** Why what is still open at a run's end is withdrawn or cancelled. */
export const RUN_ENDED = 'The run ended.';

/** What a run that ends takes with it: tasks that are not over, so that no agent stays busy, and open requests. What is merged is done. */
export function whatEndsWith(run: RunView): EventDraft[] {
  const reason = RUN_ENDED;
  return [
    ...openRequests(run).map(({ id, taskId }): EventDraft => ({
      type: 'request-withdrawn',
      runId: run.id,
      ...(taskId === undefined ? {} : { taskId }),
      actor: RUNTIME,
      requestId: id,
      reason,
    })),
    ...Object.values(run.tasks)
      .filter(({ phase }) => !isOver(phase))
      .map((task): EventDraft =>
        task.merged
          ? { type: 'task-proven', ...stampOf(task), ...task.merged }
          : { type: 'task-cancelled', ...stampOf(task), reason },
      ),
  ];
}
