/** Tasks that a task handed on to others: whose they are, how deep they stand, and what of them is still open. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { isOver, type Task } from './task.ts';

type Tasks = DeepReadonly<Record<string, Task>>;
type View = DeepReadonly<Task>;

/** What this try of a task handed on, in the order in which it did; what an earlier try did is not among it. */
export function childrenOf(tasks: Tasks, parent: Pick<View, 'id' | 'attempt'>): View[] {
  return Object.values(tasks).filter(
    ({ parentTaskId, delegation }) => parentTaskId === parent.id && delegation?.attempt === parent.attempt,
  );
}

/** 0 for a task of the plan. */
export function depthOf(tasks: Tasks, { parentTaskId }: Pick<View, 'parentTaskId'>): number {
  const parent = parentTaskId === undefined ? undefined : tasks[parentTaskId];
  return parent ? 1 + depthOf(tasks, parent) : 0;
}

/** Whoever waits for this task: its parent's present try. Undefined for a task of the plan, or when nobody waits any more. */
export function waitingParentOf(tasks: Tasks, child: Pick<View, 'parentTaskId' | 'delegation'>): View | undefined {
  const parent = child.parentTaskId === undefined ? undefined : tasks[child.parentTaskId];
  return parent && !isOver(parent.phase) && child.delegation?.attempt === parent.attempt ? parent : undefined;
}

/** A key that no task of the run has, made of the parent's and a count. */
export function keyOfNext(tasks: Tasks, parent: Pick<View, 'key'>): string {
  const used = new Set(Object.values(tasks).map(({ key }) => key));
  for (let number = 1; ; number++) {
    const key = `${parent.key}-${number}`;
    if (!used.has(key)) {
      return key;
    }
  }
}
