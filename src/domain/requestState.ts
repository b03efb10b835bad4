/** What events do to the requests of a run, and to the tasks that wait for their answers. */
import { assertNever } from '../base/assertNever.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { Standing } from './agentState.ts';
import type { RequestRecord, Rule } from './approval.ts';
import { raiseLimit, startToolClock, stopToolClock } from './budgetState.ts';
import type { EventOf, SquadEvent } from './events.ts';
import type { Run } from './run.ts';
import { taintOf } from './taint.ts';
import { isOver } from './task.ts';

type RequestEvent = Extract<SquadEvent, { type: `request-${string}` }>;

export const isRequestEvent = (event: SquadEvent): event is RequestEvent => event.type.startsWith('request-');

export function applyToRequests(standing: Standing, run: Run, event: RequestEvent): void {
  switch (event.type) {
    case 'request-opened':
      run.counters.request++;
      run.requests[event.request.id] = { ...event.request, openedAt: event.at, sequence: event.sequence };
      waitForPerson(standing, run, event.request.taskId, event.at);
      return;
    case 'request-answered': {
      const request = requestOf(run, event.requestId);
      request.answer = event.answer;
      request.door = event.door;
      if (event.grantedBy !== undefined) {
        request.grantedBy = event.grantedBy;
      }
      if (event.answer.kind === 'allow') {
        run.taint = { ...run.taint, ...taintOf(request.subject) };
      }
      raiseLimit(run, request);
      workOn(run, request.taskId, event.at);
      return;
    }
    case 'request-withdrawn':
    case 'request-expired': {
      const request = requestOf(run, event.requestId);
      request.answer = { kind: 'deny', reason: event.reason };
      workOn(run, request.taskId, event.at);
      return;
    }
    default:
      assertNever(event);
  }
}

/** `rules`: those of the workspace; `run`: the event's, which goes by them from now on. */
export function applyToRules(
  rules: Record<string, Rule>,
  run: Run | undefined,
  event: EventOf<'rule-saved' | 'rule-removed'>,
): void {
  const id = event.type === 'rule-saved' ? event.rule.id : event.ruleId;
  const others = run?.rules.filter((rule) => rule.id !== id) ?? [];
  if (event.type === 'rule-saved') {
    rules[id] = event.rule;
    others.push(event.rule);
  } else {
    delete rules[id];
  }
  if (run) {
    run.rules = others;
  }
}

type Requests = DeepReadonly<Pick<Run, 'requests'>>;

/** Requests of a run that still wait for an answer, oldest first. */
export function openRequests(run: Requests): DeepReadonly<RequestRecord>[] {
  return Object.values(run.requests).filter((request) => request.answer === undefined);
}

function waitForPerson(standing: Standing, run: Run, taskId: string | undefined, at: string): void {
  const task = taskId === undefined ? undefined : run.tasks[taskId];
  if (task && !isOver(task.phase)) {
    stopToolClock(standing, run, task, at);
    task.phase = 'waiting_for_person';
  }
}

/** The task of an answered request works on, unless another request of it is still open. */
function workOn(run: Run, taskId: string | undefined, at: string): void {
  const task = taskId === undefined ? undefined : run.tasks[taskId];
  if (task?.phase === 'waiting_for_person' && !openRequests(run).some((request) => request.taskId === taskId)) {
    startToolClock(task, at);
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
