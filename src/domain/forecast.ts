/**
 * What a run will come to: what it has spent, and for each task that is left what tasks of its kind came to here before. Where
 * there is no record of a kind, nothing is foretold.
 */
import { formatUsd } from './prices.ts';
import { PLANNING_TASK_KEY } from './plan.ts';
import type { RunView, SquadView, TaskView } from './squadState.ts';
import { isOver } from './task.ts';

/** Tokens in all. `low` and `high` hold about as often as the tasks of the record stayed within theirs. */
export interface Forecast {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
  /** Tasks that it is drawn from. */
  readonly record: number;
}

/** Fewer tasks of a kind are no record. */
const FEWEST = 2;

export function forecastOf(state: SquadView, run: RunView): Forecast | undefined {
  const left = tasksLeft(run);
  if (left.length === 0 || run.phase === 'ended') {
    return undefined;
  }
  const done = Object.values(state.runs).flatMap((each) => Object.values(each.tasks).filter(isOfRecord));
  const used = new Set<TaskView>();
  let [likely, below, above] = [run.account.usedTokens, 0, 0];
  for (const { role, type, spent } of left) {
    const same = done.filter((task) => task.type === type);
    const samples = same.length >= FEWEST ? same : done.filter((task) => task.role === role);
    const tokens = samples.map((task) => task.tokens).sort((one, other) => one - other);
    const [least, most] = [tokens[0], tokens.at(-1)];
    if (least === undefined || most === undefined || tokens.length < FEWEST) {
      return undefined;
    }
    samples.forEach((task) => used.add(task));
    const middle =
      ((tokens[Math.floor((tokens.length - 1) / 2)] ?? 0) + (tokens[Math.floor(tokens.length / 2)] ?? 0)) / 2;
    const more = (come: number): number => Math.max(0, come - spent);
    likely += more(middle);
    // Tasks vary by themselves, so what one takes more another takes less.
    below += (more(middle) - more(least)) ** 2;
    above += (more(most) - more(middle)) ** 2;
  }
  return {
    low: Math.round(likely - Math.sqrt(below)),
    likely: Math.round(likely),
    high: Math.round(likely + Math.sqrt(above)),
    record: used.size,
  };
}

/** `about 45,000 tokens (30,000 to 70,000), about $0.12, by 12 tasks done here before`; undefined where nothing is foretold. */
export function forecastWords(state: SquadView, run: RunView): string | undefined {
  const forecast = forecastOf(state, run);
  if (!forecast) {
    return undefined;
  }
  const { low, likely, high, record } = forecast;
  const price = priceOfToken(state, run);
  return [
    `about ${round(likely)} tokens (${round(low)} to ${round(high)})`,
    ...(price === undefined ? [] : [`about ${formatUsd(likely * price)}`]),
    `by ${record} tasks done here before`,
  ].join(', ');
}

/** Those of the plan that are not over, also before they are made. */
function tasksLeft(run: RunView): { role: string; type: string; spent: number }[] {
  const made = Object.values(run.tasks).filter(({ key }) => key !== PLANNING_TASK_KEY);
  const known = new Set(made.map(({ key }) => key));
  const planned = (run.plan?.tasks ?? []).filter(({ key }) => !known.has(key));
  return [
    ...planned.map(({ role, type }) => ({ role, type, spent: 0 })),
    ...made.flatMap(({ role, type, phase, tokens }) => (isOver(phase) ? [] : [{ role, type, spent: tokens }])),
  ];
}

/** What failed has cost as well. */
function isOfRecord({ key, phase, tokens }: TaskView): boolean {
  return key !== PLANNING_TASK_KEY && (phase === 'proven' || phase === 'failed') && tokens > 0;
}

/** Micro-dollars for a token of this run, or of the newest one with the same model; undefined where nobody knows. */
function priceOfToken(state: SquadView, run: RunView): number | undefined {
  const { door, name } = run.options.model;
  const priced = [run, ...Object.values(state.runs).toReversed()].find(
    ({ options, account }) =>
      options.model.door === door &&
      options.model.name === name &&
      account.usedMicroUsd > 0 &&
      account.unpricedTokens === 0,
  );
  return priced && priced.account.usedMicroUsd / priced.account.usedTokens;
}

function round(tokens: number): string {
  const digits = Math.max(0, Math.floor(Math.log10(Math.max(1, tokens))) - 1);
  return (Math.round(tokens / 10 ** digits) * 10 ** digits).toLocaleString('en');
}
