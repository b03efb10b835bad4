/** How states are said and marked. Only what the living state says: no guess, no forecast. */
import type { AgentType } from '../src/domain/agent.ts';
import { openRequests, type RunView, type SquadView, type TaskView } from '../src/domain/squadState.ts';
import { isHeld, isOver } from '../src/domain/task.ts';
import { PLANNING_TASK_KEY } from '../src/domain/plan.ts';
import { assertNever } from '../src/base/assertNever.ts';

/** A state as it is drawn; each has a shape of its own. */
export type Mark =
  'waiting' | 'ready' | 'working' | 'you' | 'proving' | 'merging' | 'proven' | 'failed' | 'paused' | 'cancelled';

/** What the person must look at comes first. */
const URGENCY: readonly Mark[] = [
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

export const ROLE_ICONS: Readonly<Record<AgentType, string>> = {
  planning: 'compass',
  coding: 'code',
  testing: 'beaker',
  research: 'telescope',
  deployment: 'rocket',
};

/** The tasks of the plan; the planning itself is one only as long as there is no other. */
export function tasksOf(run: RunView): readonly TaskView[] {
  const all = Object.values(run.tasks);
  const planned = all.filter(({ key }) => key !== PLANNING_TASK_KEY);
  return planned.length > 0 ? planned : all;
}

export function hasPlannedTasks(run: RunView): boolean {
  return Object.values(run.tasks).some(({ key }) => key !== PLANNING_TASK_KEY);
}

/** What waits for an answer now, oldest first. A run that has ended waits for none, whatever was left open. */
export function waitingRequests(run: RunView): ReturnType<typeof openRequests> {
  return run.phase === 'ended' ? [] : openRequests(run);
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
    default:
      return task.phase;
  }
}

export function taskWords(run: RunView, task: TaskView): string {
  const mark = markOf(run, task);
  switch (mark) {
    case 'waiting':
      return `waiting for ${namesOf(run, task)}`;
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

/** `3 proven · 1 working · 2 waiting`, in the order of urgency, the proven ones last. */
export function countsInWords(marks: readonly Mark[]): string {
  return URGENCY.flatMap((mark) => {
    const count = marks.filter((each) => each === mark).length;
    return count === 0
      ? []
      : [mark === 'you' ? `${count} ${count === 1 ? 'waits' : 'wait'} for you` : `${count} ${mark}`];
  })
    .map((words) => words.replaceAll(' ', '\u00a0'))
    .join(' · ');
}

export interface RunWords {
  readonly mark: Mark;
  readonly words: string;
}

export function runWords(run: RunView, waitCount: number): RunWords {
  if (run.phase === 'ended') {
    const at = run.endedAt === undefined ? '' : ` at ${timeOfDay(run.endedAt, false)}`;
    switch (run.status) {
      case 'succeeded':
        return { mark: 'proven', words: `ended${at}, every task proven` };
      case 'budget-reached':
        return { mark: 'you', words: `ended${at}, the budget is reached` };
      case 'stopped':
        return { mark: 'cancelled', words: `ended${at}, stopped` };
      case 'failed':
      case undefined:
        return { mark: 'failed', words: `failed${at}` };
      default:
        return assertNever(run.status);
    }
  }
  if (run.stopped) {
    return { mark: 'paused', words: 'stopped' };
  }
  if (run.paused) {
    return { mark: 'paused', words: 'paused' };
  }
  if (waitCount > 0) {
    return { mark: 'you', words: 'waits for you' };
  }
  return { mark: 'working', words: run.phase === 'working' ? 'working' : 'planning' };
}

/** An agent by the name people read; its id where it is gone, `Host` and `You` for those who are no agents. */
export function nameOf(state: SquadView, party: { readonly kind: string; readonly id: string }): string {
  switch (party.kind) {
    case 'person':
      return 'You';
    case 'runtime':
      return 'Host';
    default:
      return state.standing.agents[party.id]?.name ?? party.id;
  }
}

const numbers = new Intl.NumberFormat('en');
export const count = (value: number): string => numbers.format(value);

/** `8 files`, `1 file`. */
export const countOf = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

export function timeOfDay(iso: string, withSeconds = true): string {
  return new Date(iso).toLocaleTimeString('en', {
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23',
  });
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [`${hours} h`, `${minutes} min`] : [`${minutes} min`, `${seconds % 60} s`];
  return parts.filter((part) => !part.startsWith('0 ')).join(' ') || '0 s';
}

/** Nothing of it is under way: no tool call, no model call. */
function standsStill(run: RunView, task: TaskView): boolean {
  const calls = Object.values(run.reservations).some(({ taskId }) => taskId === task.id);
  return run.stopped || (run.paused && task.phase === 'working' && !calls && task.openCall === undefined);
}

function attempt(task: TaskView): string[] {
  return task.attempt > 1 ? [`attempt ${task.attempt}`] : [];
}

function namesOf(run: RunView, task: TaskView): string {
  const open = task.dependsOn.flatMap((id) => {
    const other = run.tasks[id];
    return other && other.phase !== 'proven' ? [other.title] : [];
  });
  return open.length === 1 && open[0] !== undefined
    ? open[0]
    : open.length === 0
      ? 'its turn'
      : countOf(open.length, 'task');
}
