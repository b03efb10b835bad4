/** States in the words that people read and hear, and in the marks they are drawn by; one place, so that every view says the same. */
import { assertNever } from '../base/assertNever.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { PersonRequest } from './approval.ts';
import { budgetResourceSchema, describeAmount, describeCost, limitOf } from './budget.ts';
import { childrenOf } from './delegation.ts';
import { budgetOf } from './envelopes.ts';
import { groupsOf } from './grants.ts';
import { PLANNING_TASK_KEY } from './plan.ts';
import { openRequests } from './requestState.ts';
import type { RunView, TaskView } from './squadState.ts';
import { isHeld, isOver } from './task.ts';

/** A state as it is drawn; each has a shape of its own. */
export type Mark =
  'waiting' | 'ready' | 'working' | 'you' | 'proving' | 'merging' | 'proven' | 'failed' | 'paused' | 'cancelled';

/** What the person must look at comes first. */
export const URGENCY: readonly Mark[] = [
  'you',
  'failed',
  'working',
  'proving',
  'merging',
  'paused',
  'ready',
  'waiting',
  'proven',
  'cancelled',
];

/** The tasks of the plan; the planning itself is one only as long as there is no other. */
export function tasksOf(run: RunView): readonly TaskView[] {
  const planned = plannedTasksOf(run);
  return planned.length > 0 ? planned : Object.values(run.tasks);
}

export function hasPlannedTasks(run: RunView): boolean {
  return plannedTasksOf(run).length > 0;
}

/** What waits for an answer now, oldest first. A run that has ended waits for none, whatever was left open. */
export function waitingRequests(run: RunView): ReturnType<typeof openRequests> {
  return run.phase === 'ended' ? [] : openRequests(run);
}

/** The same, what waits for the same answer together: as many decisions as there are groups. */
export function waitingGroups(run: RunView): ReturnType<typeof groupsOf<ReturnType<typeof openRequests>[number]>> {
  return groupsOf(waitingRequests(run));
}

export function byUrgency(run: RunView, tasks: readonly TaskView[]): TaskView[] {
  return tasks.toSorted((one, other) => URGENCY.indexOf(markOf(run, one)) - URGENCY.indexOf(markOf(run, other)));
}

export function markOf(run: RunView, task: TaskView): Mark {
  if (!isOver(task.phase) && (run.phase === 'ended' || (isHeld(task.phase) && standsStill(run, task)))) {
    return 'paused';
  }
  switch (task.phase) {
    case 'waiting_for_person':
      return 'you';
    case 'working':
      return task.parked ? 'waiting' : 'working';
    case 'split':
      return 'waiting';
    default:
      return task.phase;
  }
}

/** A task's state in a few words: "working, 64 %", "waiting for Tags and search", "failed, attempt 2". */
export function taskWords(run: RunView, task: TaskView): string {
  const mark = markOf(run, task);
  switch (mark) {
    case 'waiting':
      return task.parked
        ? `goes on at ${clockTime(task.parked.until)} (model)`
        : task.phase === 'split'
          ? splitWords(run, task)
          : `waiting for ${namesOf(run, task)}`;
    case 'working':
      return [
        'working',
        ...(task.progress?.percent === undefined ? [] : [`${Math.round(task.progress.percent)} %`]),
        ...attempt(task),
      ].join(', ');
    case 'you':
      return 'waits for you';
    case 'proving':
      return `checks run, ${task.checks.length} of ${task.acceptance.length}`;
    case 'paused':
      return run.phase === 'ended' ? 'not finished' : run.stopped ? 'stopped' : 'paused';
    case 'failed':
      return ['failed', ...attempt(task)].join(', ');
    case 'ready':
    case 'merging':
    case 'proven':
    case 'cancelled':
      return mark;
    default:
      return assertNever(mark);
  }
}

/** The time of day where the reader is, as `14:05`. */
export function clockTime(iso: string): string {
  const at = new Date(iso);
  return [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
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

/** What a run has cost so far: `12,345 tokens · $0.0210`, `12,345 tokens · price unknown`, `12,345 tokens · rehearsal, costs nothing`. */
export function costWords({ account, options }: Pick<RunView, 'account' | 'options'>): string {
  return [`${account.usedTokens.toLocaleString('en')} tokens`, moneyWords({ account, options })]
    .filter(Boolean)
    .join(' · ');
}

/** The same with what it was spent in: `12,345 tokens in 8 requests · $0.12`. */
export function spentWords(run: Pick<RunView, 'account' | 'options'>): string {
  const { usedTokens, requests } = run.account;
  const tokens = `${usedTokens.toLocaleString('en')} tokens in ${requests} ${requests === 1 ? 'request' : 'requests'}`;
  return [tokens, moneyWords(run)].filter(Boolean).join(' · ');
}

/** What the run itself may spend: `200,000 tokens, $2.00, 120 minutes at work`; '' where nothing is limited. */
export function capsOf(run: Pick<RunView, 'options' | 'raised'>): string {
  const budget = budgetOf(run);
  return budgetResourceSchema.options
    .flatMap((resource) => {
      const limit = limitOf(budget, resource);
      return limit === undefined ? [] : [describeAmount(resource, limit)];
    })
    .join(', ');
}

/** Its money alone; '' before anything was used. */
export function moneyWords({ account, options }: Pick<RunView, 'account' | 'options'>): string {
  const isFree = options.model.door === 'rehearsal' && account.usedMicroUsd === 0 && account.unpricedTokens === 0;
  return account.usedTokens > 0 && isFree ? 'rehearsal, costs nothing' : describeCost(account);
}

/** The tasks of the plan: what people mean by "3 of 5 tasks". */
export function plannedTasksOf(run: RunView): TaskView[] {
  return Object.values(run.tasks).filter(({ key }) => key !== PLANNING_TASK_KEY);
}

/** Nothing of it is under way: no tool call, no model call. */
function standsStill(run: RunView, task: TaskView): boolean {
  const calls = Object.values(run.reservations).some(({ taskId }) => taskId === task.id);
  return run.stopped || (run.paused && task.phase === 'working' && !calls && task.openCall === undefined);
}

function attempt(task: TaskView): string[] {
  return task.attempt > 1 ? [`attempt ${task.attempt}`] : [];
}

function splitWords(run: RunView, task: TaskView): string {
  const children = childrenOf(run.tasks, task);
  return `waits for what it handed on, ${children.filter(({ phase }) => isOver(phase)).length} of ${children.length} done`;
}

function namesOf(run: RunView, task: TaskView): string {
  const open = task.dependsOn.flatMap((id) => {
    const other = run.tasks[id];
    return other && other.phase !== 'proven' ? [other.title] : [];
  });
  return open.length === 1 && open[0] !== undefined ? open[0] : open.length === 0 ? 'its turn' : `${open.length} tasks`;
}

/** Who waits for an answer, each once. */
export function namesOfAskers(requests: readonly DeepReadonly<Pick<PersonRequest, 'agentId'>>[]): string {
  return [...new Set(requests.map(({ agentId }) => agentId ?? 'the host'))].join(', ');
}
