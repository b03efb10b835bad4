/** States in the words that people read and hear; one place, so that every view says the same. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { openRequests, type RunView, type TaskView } from './squadState.ts';
import type { Task } from './task.ts';

/** A task's state in a few words: "working, 64 %", "waiting for search", "failed, attempt 2". */
export function describePhase(task: TaskView, run: RunView): string {
  switch (task.phase) {
    case 'waiting':
      return `waiting for ${openDependencies(task, run).join(', ')}`;
    case 'ready':
      return 'ready';
    case 'working':
      return task.progress?.percent === undefined ? 'working' : `working, ${Math.round(task.progress.percent)} %`;
    case 'waiting_for_person':
      return 'waits for you';
    case 'proving':
      return `checks run, ${task.checks.length} of ${task.acceptance.length}`;
    case 'merging':
      return 'merging';
    case 'proven':
      return 'proven';
    case 'failed':
      return task.attempt > 1 ? `failed, attempt ${task.attempt}` : 'failed';
    case 'paused':
    case 'cancelled':
      return task.phase;
  }
}

/** A run's state in a few words. */
export function describeRun(run: RunView): string {
  if (run.stopped && run.phase !== 'ended') {
    return 'stopped, can go on';
  }
  if (run.paused && run.phase !== 'ended') {
    return 'paused';
  }
  switch (run.phase) {
    case 'planning':
      return 'planning';
    case 'awaiting-approval':
      return 'the plan waits for you';
    case 'working':
      return openRequests(run).length > 0 ? 'working, waits for you' : 'working';
    case 'ended':
      return describeEnd(run);
  }
}

function describeEnd(run: RunView): string {
  switch (run.status) {
    case 'failed':
      return 'failed, nothing changed';
    case 'stopped':
      return 'stopped';
    case 'budget-reached':
      return 'budget reached, work kept';
    default:
      return describeOutcome(run.outcome);
  }
}

function describeOutcome(outcome: RunView['outcome']): string {
  switch (outcome.kind) {
    case 'kept':
      return 'ready for review';
    case 'applying':
      return 'applying';
    case 'applied':
      return 'applied';
    case 'undoing':
      return 'taking back';
    case 'branched':
      return `branch ${outcome.name}`;
    case 'discarded':
      return 'discarded';
  }
}

/** Keys of the tasks that this one still waits for. */
export function openDependencies(task: DeepReadonly<Pick<Task, 'dependsOn'>>, run: RunView): string[] {
  return task.dependsOn.flatMap((id) => {
    const other = run.tasks[id];
    return other && other.phase !== 'proven' ? [other.key] : [];
  });
}

/** The tasks of the plan: what people mean by "3 of 5 tasks". */
export function plannedTasksOf(run: RunView): TaskView[] {
  return Object.values(run.tasks).filter(({ role }) => role !== 'planning');
}
