/** What events do to `runs`. */
import type { Updateable } from 'kysely';
import type { Usage } from '../../domain/budget.ts';
import type { Envelope, EventOf } from '../../domain/events.ts';
import type { RunOutcome } from '../../domain/run.ts';
import { prepared, tables } from '../builder.ts';
import type { Projection, Query } from '../projection.ts';
import type { Database } from '../schema.ts';

export function insertRun(event: EventOf<'run-started'>): Projection {
  return [
    tables.insertInto('runs').values({
      id: runIdOf(event),
      objective: event.objective,
      phase: 'planning',
      paused: 0,
      stopped: 0,
      outcome: JSON.stringify({ kind: 'kept' } satisfies RunOutcome),
      options: JSON.stringify(event.options),
      used_tokens: 0,
      used_micro_usd: 0,
      unpriced_tokens: 0,
      requests: 0,
      worked_ms: 0,
      started_at: event.at,
    }),
  ];
}

export function setRun(event: Envelope, values: Updateable<Database['runs']>): Query {
  return setRow({ ...values, id: runIdOf(event) });
}

const setRow = prepared(({ id, ...values }: Updateable<Database['runs']> & { id: string }) =>
  tables.updateTable('runs').set(values).where('id', '=', id),
);

export function setOutcome(event: Envelope, outcome: RunOutcome): Query {
  return setRun(event, { outcome: JSON.stringify(outcome) });
}

export function addToRun(event: Envelope, column: keyof typeof ADD, amount: number): Query {
  return ADD[column]({ id: runIdOf(event), amount });
}

const adding = (column: 'requests' | 'worked_ms') =>
  prepared(({ id, amount }: { id: string; amount: number }) =>
    tables
      .updateTable('runs')
      .set((row) => ({ [column]: row(column, '+', amount) }))
      .where('id', '=', id),
  );
const ADD = {
  requests: adding('requests'),
  worked_ms: adding('worked_ms'),
};

/** What a call came to, in tokens and in money. */
export function spend(event: Envelope, { inputTokens, outputTokens, microUsd }: Usage): Query {
  const tokens = inputTokens + outputTokens;
  return SPEND({
    id: runIdOf(event),
    tokens,
    microUsd: microUsd ?? 0,
    unpriced: microUsd === undefined ? tokens : 0,
  });
}

const SPEND = prepared(
  ({ id, tokens, microUsd, unpriced }: { id: string; tokens: number; microUsd: number; unpriced: number }) =>
    tables
      .updateTable('runs')
      .set((row) => {
        // All of them what they were before this query.
        const [used, unknown] = [row('used_tokens', '+', tokens), row('unpriced_tokens', '+', unpriced)];
        return {
          used_tokens: used,
          unpriced_tokens: unknown,
          used_micro_usd: row
            .case()
            .when(row.and([row(unknown, '>', 0), row(unknown, '=', used)]))
            .then(row.lit(null))
            .else(row(row.fn.coalesce('used_micro_usd', row.lit(0)), '+', microUsd))
            .end(),
        };
      })
      .where('id', '=', id),
);

export function endRun(event: EventOf<'run-ended'>): Query {
  return setRun(event, {
    phase: 'ended',
    status: event.status,
    ended_at: event.at,
    ...(event.reason === undefined ? {} : { reason: event.reason }),
    ...(event.diff === undefined ? {} : { diff: JSON.stringify(event.diff) }),
  });
}

/** The run that an event belongs to; `apply` refuses one without. */
export function runIdOf(event: Envelope): string {
  return event.runId ?? '';
}
