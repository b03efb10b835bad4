/** Which tasks a run consists of: the planning task, made by the runtime, and those of the accepted plan. */
import { PLANNING_TASK_KEY, type ProjectPlan } from '../domain/plan.ts';
import type { RunView } from '../domain/squadState.ts';
import type { TaskSpec } from '../domain/task.ts';

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

/** The tasks that an accepted plan asks for, with their ids. */
export function plannedTasks(runId: string, plan: RunView['plan'] & object): TaskSpec[] {
  const { tasks } = structuredClone(plan) as ProjectPlan;
  return tasks.map(({ key, dependsOn, estimateMinutes, ...task }) => ({
    ...task,
    id: `${runId}.${key}`,
    runId,
    key,
    dependsOn: dependsOn.map((dependency) => `${runId}.${dependency}`),
    ...(estimateMinutes === undefined ? {} : { estimateMs: estimateMinutes * 60_000 }),
  }));
}
