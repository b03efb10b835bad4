/**
 * What a run will come to: what it has spent, and for each task that is left what tasks of its kind came to here before. Where
 * there is no record of a kind, nothing is foretold.
 */
import { formatUsd } from './prices.ts';
import { PLANNING_TASK_KEY } from './plan.ts';
import { modelIdOf, choicesOf } from './run.ts';
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
  const samplesOf = recordOf(state);
  const used = new Set<readonly TaskView[]>();
  let [likely, below, above] = [run.account.usedTokens, 0, 0];
  for (const { role, type, spent } of left) {
    const sample = samplesOf(type, role);
    if (!sample) {
      return undefined;
    }
    const { least, middle, most } = sample;
    used.add(sample.tasks);
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
    record: new Set([...used].flat()).size,
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

export interface ToGo {
  /** `about $0.40–0.90, 120k–200k tokens to go`; without the money where nobody knows a price. */
  readonly words: string;
  /** Tasks that it is drawn from. */
  readonly record: number;
}

/** What is left to spend, as an interval; undefined where nothing is foretold. */
export function toGoOf(state: SquadView, run: RunView): ToGo | undefined {
  const forecast = forecastOf(state, run);
  if (!forecast) {
    return undefined;
  }
  const [low, high] = [forecast.low, forecast.high].map((tokens) => Math.max(0, tokens - run.account.usedTokens));
  const price = priceOfToken(state, run);
  const usd = price === undefined ? undefined : interval([low, high].map((tokens) => dollars((tokens ?? 0) * price)));
  return {
    words: `about ${[usd, interval([low, high].map((tokens) => short(tokens ?? 0)))].filter(Boolean).join(', ')} tokens to go`,
    record: forecast.record,
  };
}

/** `$0.40–0.90`, `120k–200k`; one number where both are the same. */
function interval([low = '', high = '']: readonly string[]): string {
  return low === high ? low : `${low}–${high.replace('$', '')}`;
}

/** In two digits: nobody foretells more. */
function dollars(microUsd: number): string {
  return formatUsd(twoDigits(microUsd));
}

function short(tokens: number): string {
  const rounded = twoDigits(tokens);
  return rounded < 1000 ? String(rounded) : rounded < 1_000_000 ? `${rounded / 1000}k` : `${rounded / 1_000_000}M`;
}

function twoDigits(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.round(value / unit) * unit;
}

interface Sample {
  readonly tasks: readonly TaskView[];
  readonly least: number;
  readonly middle: number;
  readonly most: number;
}

/** What tasks of a type came to, or of its role where too few of the type were done; each looked up once. */
function recordOf(state: SquadView): (type: string, role: string) => Sample | undefined {
  const done = Object.values(state.runs).flatMap((each) => Object.values(each.tasks).filter(isOfRecord));
  const [byType, byRole] = [
    Map.groupBy(done, ({ type }) => type as string),
    Map.groupBy(done, ({ role }) => role as string),
  ];
  const known = new Map<string, Sample | undefined>();
  return (type, role) => {
    const key = `${type} ${role}`;
    if (!known.has(key)) {
      const same = byType.get(type) ?? [];
      known.set(key, sampleOf(same.length >= FEWEST ? same : (byRole.get(role) ?? [])));
    }
    return known.get(key);
  };
}

function sampleOf(tasks: readonly TaskView[]): Sample | undefined {
  const tokens = tasks.map((task) => task.tokens).sort((one, other) => one - other);
  const [least, most] = [tokens[0], tokens.at(-1)];
  if (least === undefined || most === undefined || tokens.length < FEWEST) {
    return undefined;
  }
  const middle =
    ((tokens[Math.floor((tokens.length - 1) / 2)] ?? 0) + (tokens[Math.floor(tokens.length / 2)] ?? 0)) / 2;
  return { tasks, least, middle, most };
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

/** Micro-dollars for a token of this run, or of the newest one with the same models; undefined where nobody knows. */
function priceOfToken(state: SquadView, run: RunView): number | undefined {
  const models = namesOfModels(run);
  const priced = [run, ...Object.values(state.runs).toReversed()].find(
    ({ options, account }) =>
      namesOfModels({ options }) === models && account.usedMicroUsd > 0 && account.unpricedTokens === 0,
  );
  return priced && priced.account.usedMicroUsd / priced.account.usedTokens;
}

function namesOfModels({ options: { model, roleModels } }: Pick<RunView, 'options'>): string {
  return choicesOf({ model, roleModels }).map(modelIdOf).join();
}

function round(tokens: number): string {
  return twoDigits(tokens).toLocaleString('en');
}
