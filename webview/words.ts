/** How figures, times and the run's head are said on the page. Only what the living state says: no guess; a forecast comes in words of the squad. */
import type { AgentType } from '../src/domain/agent.ts';
import { URGENCY, type Mark } from '../src/domain/phaseWords.ts';
import type { RunView, SquadView } from '../src/domain/squadState.ts';
import { assertNever } from '../src/base/assertNever.ts';

export const ROLE_ICONS: Readonly<Record<AgentType, string>> = {
  planning: 'compass',
  coding: 'code',
  testing: 'beaker',
  research: 'telescope',
  deployment: 'rocket',
};

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
