import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SquadEvent } from '../../src/domain/events.ts';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { stateOf } from '../../src/ledger/squadLedger.ts';
import type { SquadState } from '../../src/domain/squadState.ts';
import type { Row } from '../../src/store/sqljs/tablesDatabase.ts';
import { allRowsOf, openTables, parseRow } from './openTables.ts';
import { rowsOfState, sorted, TABLES, type ExpectedRow } from './rowsOfState.ts';

const goneAgents = (events: readonly SquadEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'agent-destroyed' ? [event.agentId] : [])).sort();

/** Fails unless the rows in a squad's folder, read by another SQLite, are what the journal's living state says. */
export async function checkTables(storage: string): Promise<void> {
  const { events } = await readJournal(storage);
  const database = new DatabaseSync(path.join(storage, 'tables.sqlite'), { readOnly: true });
  try {
    compareRows(events, (table) =>
      database
        .prepare(allRowsOf(table).sql)
        .all()
        .map((row) => parseRow(row as Row)),
    );
  } finally {
    database.close();
  }
}

/** Fails unless the rows that the projector makes of a whole record are what the living state says. */
export async function checkProjection(events: readonly SquadEvent[]): Promise<void> {
  const database = await openTables();
  try {
    database.apply(events);
    compareRows(events, (table) => database.query(allRowsOf(table)).map(parseRow));
  } finally {
    database.close();
  }
}

function compareRows(events: readonly SquadEvent[], rowsIn: (table: string) => ExpectedRow[]): void {
  const state = stateOf({ events });
  const expected = sorted(rowsOfState(state, (sequence) => events[sequence - 1]!));
  compareCalls(state, rowsIn('model_calls'));
  for (const table of TABLES) {
    const rows = rowsIn(table);
    // Rows stay of what the living state lets go: older messages that are over, and agents that are no more.
    const known = new Set(expected[table].map(({ id }) => id));
    const letGo = rows.filter(({ id }) => !known.has(id));
    if (table === 'agent_communications') {
      assert.ok(
        letGo.every(({ status }) => status === 'processed' || status === 'failed'),
        table,
      );
    } else if (table !== 'dead_letters') {
      const gone = table === 'agent_registry' ? goneAgents(events) : [];
      assert.deepEqual(
        letGo.map(({ id }) => id),
        gone,
        table,
      );
      assert.ok(letGo.every((row) => row['destroyed_at'] !== null));
    }
    assert.deepEqual(
      rows.filter((row) => !letGo.includes(row)),
      expected[table],
      table,
    );
  }
}

/** The living state keeps no calls but those under way; of all others it knows what they came to. */
function compareCalls(state: SquadState, rows: readonly ExpectedRow[]): void {
  const sum = (some: readonly ExpectedRow[], of: (row: ExpectedRow) => number): number =>
    some.reduce((total, row) => total + of(row), 0);
  const tokensOf = (row: ExpectedRow): number => Number(row['input_tokens']) + Number(row['output_tokens']);
  for (const { id, account, reservations, tasks } of Object.values(state.runs)) {
    const calls = rows.filter((row) => row['run_id'] === id);
    const [open, over] = [
      calls.filter(({ status }) => status === 'open'),
      calls.filter(({ status }) => status !== 'open'),
    ];
    assert.deepEqual(open.map((row) => row.id).sort(), Object.keys(reservations).sort(), id);
    assert.deepEqual(
      {
        requests: calls.length,
        usedTokens: sum(over, tokensOf),
        usedMicroUsd: sum(over, (row) => Number(row['micro_usd'] ?? 0)),
        unpricedTokens: sum(
          over.filter((row) => row['micro_usd'] === null),
          tokensOf,
        ),
        reservedTokens: sum(open, (row) => Number(row['reserved_tokens'])),
        reservedMicroUsd: sum(open, (row) => Number(row['reserved_micro_usd'] ?? 0)),
      },
      {
        requests: account.requests,
        usedTokens: account.usedTokens,
        usedMicroUsd: account.usedMicroUsd,
        unpricedTokens: account.unpricedTokens,
        reservedTokens: account.reservedTokens,
        reservedMicroUsd: account.reservedMicroUsd,
      },
      id,
    );
    for (const task of Object.values(tasks)) {
      const ofTask = over.filter((row) => row['task_id'] === task.id);
      assert.equal(sum(ofTask, tokensOf), task.tokens, task.id);
    }
  }
}
