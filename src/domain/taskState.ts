/** What becomes of a task in the living state when it begins, begins anew, or ends: parts of `apply`. */
import { recordEnd, releaseAgent, type Standing } from './agentState.ts';
import type { EventOf } from './events.ts';
import { nothingSpent } from './limits.ts';
import { LONGEST_TEXT } from './message.ts';
import type { Task } from './task.ts';

/** A task as it begins. */
export function createTask(event: EventOf<'task-created'>): Task {
  return {
    ...event.task,
    phase: 'waiting',
    attempt: 1,
    handedBack: 0,
    restarts: 0,
    spent: nothingSpent(),
    checks: [],
    conversation: [],
    steps: 0,
    tokens: 0,
    modelCalls: 0,
    refusedClaims: 0,
    createdAt: event.at,
  };
}

/** The next attempt begins with nothing of this one. */
export function resetTask(task: Task): void {
  task.phase = 'ready';
  task.attempt++;
  task.restarts = 0;
  task.spent = nothingSpent();
  task.checks = [];
  task.conversation = [];
  task.steps = 0;
  delete task.agentId;
  delete task.openCall;
  delete task.parked;
  delete task.heldBy;
  delete task.restartedFor;
  delete task.baseCommit;
  delete task.work;
  delete task.merged;
  delete task.claim;
  delete task.progress;
  delete task.failure;
  delete task.completedAt;
}

/** A fresh start reads the task anew in the worktree as it stands; the steps go on, so that no effect's key is used twice. */
export function restartTask(task: Task, event: EventOf<'agent-restarted'>): void {
  task.restarts++;
  if (event.fresh) {
    task.conversation = [];
    task.restartedFor = event.reason.slice(0, LONGEST_TEXT);
    if (task.openCall) {
      task.steps = task.openCall.step;
      delete task.openCall;
    }
  }
}

export function endTask(standing: Standing, task: Task, phase: 'proven' | 'failed' | 'cancelled', at: string): void {
  task.phase = phase;
  task.completedAt = at;
  if (phase !== 'cancelled') {
    recordEnd(standing, task, phase, at);
  }
  releaseAgent(standing, task, at);
}
