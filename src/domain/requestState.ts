/** What events do to the requests of a run, and to the tasks that wait for their answers. */
import { assertNever } from '../base/assertNever.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestRecord } from './approval.ts';
import type { SquadEvent } from './events.ts';
import type { Run } from './run.ts';
import { isOver } from './task.ts';

type RequestEvent = Extract<SquadEvent, { type: `request-${string}` }>;

export const isRequestEvent = (event: SquadEvent): event is RequestEvent => event.type.startsWith('request-');

export function applyToRequests(run: Run, event: RequestEvent): void {
  switch (event.type) {
    case 'request-opened':
      run.counters.request++;
      run.requests[event.request.id] = { ...event.request, openedAt: event.at, sequence: event.sequence };
      waitForPerson(run, event.request.taskId, true);
      return;
    case 'request-answered': {
      const request = requestOf(run, event.requestId);
      request.answer = event.answer;
      request.door = event.door;
      waitForPerson(run, request.taskId, false);
      return;
    }
    case 'request-withdrawn': {
      const request = requestOf(run, event.requestId);
      request.answer = { kind: 'deny', reason: event.reason };
      waitForPerson(run, request.taskId, false);
      return;
    }
    default:
      assertNever(event);
  }
}

type Requests = DeepReadonly<Pick<Run, 'requests'>>;

/** Requests of a run that still wait for an answer, oldest first. */
export function openRequests(run: Requests): DeepReadonly<RequestRecord>[] {
  return Object.values(run.requests).filter((request) => request.answer === undefined);
}

function waitForPerson(run: Run, taskId: string | undefined, waiting: boolean): void {
  const task = taskId === undefined ? undefined : run.tasks[taskId];
  if (!task || isOver(task.phase)) {
    return;
  }
  if (waiting) {
    task.phase = 'waiting_for_person';
  } else if (task.phase === 'waiting_for_person' && !openRequests(run).some((request) => request.taskId === taskId)) {
    task.phase = 'working';
  }
}

function requestOf(run: Run, id: string): RequestRecord {
  const request = run.requests[id];
  if (!request) {
    throw new Error(`No request ${id} in run ${run.id}`);
  }
  return request;
}
