/** Four numbers that are true now: what is proven, what is spent in tokens and in money, with what the squad foretells of it, how long the run was at work. */
import type { ComponentChildren } from 'preact';
import { limitOf } from '../../src/domain/budget.ts';
import { budgetOf } from '../../src/domain/envelopes.ts';
import type { ToGo } from '../../src/domain/forecast.ts';
import { formatUsd } from '../../src/domain/prices.ts';
import type { RunView } from '../../src/domain/squadState.ts';
import type { ViewState } from '../../src/protocol/viewState.ts';
import { byUrgency, hasPlannedTasks, markOf, tasksOf } from '../../src/domain/phaseWords.ts';
import { count, countOf, countsInWords, duration } from '../words.ts';

export function Figures({
  run,
  events,
  toGo,
}: {
  readonly run: RunView;
  readonly events: ViewState['events'];
  readonly toGo: ToGo | undefined;
}) {
  const reached = events.findLast((event) => event.type === 'budget-reached')?.resource;
  return (
    <>
      <Proven run={run} />
      <Tokens run={run} isReached={reached === 'tokens'} />
      <Money run={run} isReached={reached === 'usd'} toGo={toGo} />
      <Time run={run} isReached={reached === 'wallTimeMs'} />
    </>
  );
}

function Proven({ run }: { readonly run: RunView }) {
  const tasks = hasPlannedTasks(run) ? byUrgency(run, tasksOf(run)) : [];
  const marks = tasks.map((task) => markOf(run, task));
  const proven = marks.filter((mark) => mark === 'proven').length;
  const drawn = [...marks.filter((mark) => mark === 'proven'), ...marks.filter((mark) => mark !== 'proven')];
  return (
    <Figure
      label="Proven"
      value={tasks.length === 0 ? '–' : count(proven)}
      unit={tasks.length === 0 ? 'no plan yet' : `of ${countOf(tasks.length, 'task')}`}
    >
      {tasks.length > 0 && (
        <>
          <div class="segments" aria-hidden="true">
            {drawn.map((mark, index) => (
              <i key={index} class={mark} />
            ))}
          </div>
          <p>{countsInWords(marks)}</p>
        </>
      )}
    </Figure>
  );
}

interface LimitedProps {
  readonly run: RunView;
  /** Whether this limit is the one that stopped the run. */
  readonly isReached: boolean;
}

function Tokens({ run, isReached }: LimitedProps) {
  const { usedTokens, reservedTokens, requests } = run.account;
  const limit = budgetOf(run);
  return (
    <Figure
      label="Tokens"
      value={count(usedTokens)}
      unit={limit.tokens === undefined ? 'used, no limit set' : `of ${count(limit.tokens)}`}
    >
      {limit.tokens !== undefined && (
        <Bar limit={limit.tokens} used={usedTokens} reserved={reservedTokens} isReached={isReached} />
      )}
      <p>
        {reservedTokens === 0 ? '' : `${count(reservedTokens)} reserved for open calls · `}
        {countOf(requests, 'model call')}
        {limit.requests === undefined ? '' : ` of ${count(limit.requests)}`}
      </p>
    </Figure>
  );
}

function Money({ run, isReached, toGo }: LimitedProps & { readonly toGo: ToGo | undefined }) {
  const { usedMicroUsd, reservedMicroUsd, unpricedTokens, usedTokens } = run.account;
  const limit = limitOf(budgetOf(run), 'usd');
  const isUnknown = unpricedTokens > 0 && usedMicroUsd === 0;
  const isRehearsal = run.options.model.door === 'rehearsal';
  return (
    <Figure
      label="Cost"
      value={usedTokens === 0 || isUnknown ? '–' : formatUsd(usedMicroUsd)}
      unit={isUnknown ? 'price unknown' : limit === undefined ? 'no limit set' : `of ${formatUsd(limit)}`}
    >
      {limit !== undefined && (
        <Bar limit={limit} used={usedMicroUsd} reserved={reservedMicroUsd} isReached={isReached} />
      )}
      <p>
        {isRehearsal
          ? 'A rehearsal costs nothing.'
          : unpricedTokens > 0
            ? `${countOf(unpricedTokens, 'token')} of unknown price; the setting devsquad.prices can say it.`
            : reservedMicroUsd > 0
              ? `${formatUsd(reservedMicroUsd)} reserved for open calls`
              : 'By the prices as they were at its start.'}
      </p>
      {toGo && <p title={`By ${countOf(toGo.record, 'task')} done here before`}>{toGo.words}</p>}
    </Figure>
  );
}

function Time({ run, isReached }: LimitedProps) {
  const limit = budgetOf(run).wallTimeMs;
  const { workedMs } = run.account;
  return (
    <Figure
      label="At work"
      value={workedMs === 0 ? '–' : duration(workedMs)}
      unit={limit === undefined ? 'no limit set' : `of ${duration(limit)}`}
    >
      {limit !== undefined && <Bar limit={limit} used={workedMs} reserved={0} isReached={isReached} />}
      <p>Written down every few seconds; rests do not count.</p>
    </Figure>
  );
}

/** Blue is used, hatched is reserved; amber once the limit is reached, for it waits for the person then. */
function Bar(props: {
  readonly limit: number;
  readonly used: number;
  readonly reserved: number;
  readonly isReached: boolean;
}) {
  const { limit, used, reserved } = props;
  const usedShare = Math.min(100, (100 * used) / limit);
  const reservedShare = Math.min(100 - usedShare, (100 * reserved) / limit);
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <defs>
        <pattern id="reserved" width="1.2" height="8" patternUnits="userSpaceOnUse">
          <path d="M.3 0V8" class="hatch" />
        </pattern>
      </defs>
      <rect width="100" height="8" class="track" />
      <rect width={usedShare} height="8" class={props.isReached || used >= limit ? 'reached' : 'used'} />
      <rect x={usedShare} width={reservedShare} height="8" fill="url(#reserved)" />
    </svg>
  );
}

function Figure(props: {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="figure" aria-label={props.label}>
      <h2>{props.label}</h2>
      <div class="value">
        <b>{props.value}</b> {props.unit}
      </div>
      {props.children}
    </section>
  );
}
