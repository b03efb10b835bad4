/** Which tasks should begin now: a pure look at the run, taken again whenever something changed. */
import type { RunView, TaskView } from '../domain/squadState.ts';
import { childrenOf, waitingParentOf } from '../domain/delegation.ts';
import { wasSent } from '../domain/mailbox.ts';
import { isHeld, isOver } from '../domain/task.ts';
import { responseIdOf } from './taskLetters.ts';

export interface Schedule {
  /** Waiting tasks whose dependencies are proven now. */
  readonly becomeReady: readonly TaskView[];
  /** Waiting or ready tasks that can never begin, because one they need was not proven. */
  readonly hopeless: readonly TaskView[];
  /** Open tasks that nobody waits for any more: whoever handed them on has ended or begins anew. */
  readonly orphaned: readonly TaskView[];
  /** Tasks that go on now, because all they handed on has ended and they were told, as many as there is room for. */
  readonly rejoin: readonly TaskView[];
  /** Ready tasks to give to agents, as many as there is room for, critical path first. */
  readonly begin: readonly TaskView[];
}

export function schedule(run: RunView): Schedule {
  const tasks = Object.values(run.tasks);
  const open = tasks.filter(({ phase }) => phase === 'waiting' || phase === 'ready');
  const phaseOf = (id: string): TaskView['phase'] | undefined => run.tasks[id]?.phase;
  const hopeless = open.filter(({ dependsOn }) =>
    dependsOn.some((id) => phaseOf(id) === 'failed' || phaseOf(id) === 'cancelled'),
  );
  const becomeReady = open.filter(
    ({ phase, dependsOn }) => phase === 'waiting' && dependsOn.every((id) => phaseOf(id) === 'proven'),
  );
  const orphaned = tasks.filter(
    (task) => task.parentTaskId !== undefined && isCancellable(task) && !waitingParentOf(run.tasks, task),
  );
  const places = Math.max(0, run.options.maxAgents - tasks.filter(({ phase }) => isHeld(phase)).length);
  // What waits to go on comes before what would begin: it may be what the rest of the plan waits for.
  const rejoin = tasks.filter((task) => task.phase === 'split' && hasHeardAll(run, task)).slice(0, places);
  const room = places - rejoin.length;
  const lengths = criticalPathLengths(tasks);
  const begin = [...open.filter(({ phase }) => phase === 'ready')]
    .sort(
      (a, b) =>
        (lengths.get(b.id) ?? 0) - (lengths.get(a.id) ?? 0) || b.priority - a.priority || a.id.localeCompare(b.id),
    )
    .slice(0, room);
  return { becomeReady, hopeless, orphaned, rejoin, begin };
}

/** What is being proven or merged ends soon by itself, and must not end twice. */
function isCancellable({ phase }: TaskView): boolean {
  return !isOver(phase) && phase !== 'proving' && phase !== 'merging';
}

function hasHeardAll(run: RunView, parent: TaskView): boolean {
  return childrenOf(run.tasks, parent).every((child) => isOver(child.phase) && wasSent(run.mail, responseIdOf(child)));
}

export function isFinished(run: RunView): boolean {
  return Object.values(run.tasks).every(({ phase }) => isOver(phase));
}

/** Minutes from the begin of each task to the end of the longest chain behind it; a task without an estimate counts 10. */
function criticalPathLengths(tasks: readonly TaskView[]): Map<string, number> {
  const dependants = new Map<string, TaskView[]>();
  for (const task of tasks) {
    for (const id of task.dependsOn) {
      dependants.set(id, [...(dependants.get(id) ?? []), task]);
    }
  }
  const lengths = new Map<string, number>();
  const lengthOf = (task: TaskView): number => {
    const known = lengths.get(task.id);
    if (known !== undefined) {
      return known;
    }
    const behind = (dependants.get(task.id) ?? []).map((dependant) => lengthOf(dependant));
    const length = (task.estimateMs ?? 600_000) / 60_000 + Math.max(0, ...behind);
    lengths.set(task.id, length);
    return length;
  };
  for (const task of tasks) {
    lengthOf(task);
  }
  return lengths;
}
