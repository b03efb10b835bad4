import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { stateOf } from '../../src/ledger/squadLedger.ts';
import type { Row } from '../../src/store/sqljs/tablesDatabase.ts';
import { parseRow } from './openTables.ts';
import { rowsOfState, sorted, TABLES } from './rowsOfState.ts';

/** Fails unless the rows in a squad's folder, read by another SQLite, are what the journal's living state says. */
export async function checkTables(storage: string): Promise<void> {
  const { events } = await readJournal(storage);
  const expected = sorted(rowsOfState(stateOf({ events }), (sequence) => events[sequence - 1]!));
  const database = new DatabaseSync(path.join(storage, 'tables.sqlite'), { readOnly: true });
  try {
    for (const table of TABLES) {
      const rows = database
        .prepare(`SELECT * FROM ${table} ORDER BY id`)
        .all()
        .map((row) => parseRow(row as Row));
      // Of messages that are over the living state keeps the newest; the rows of older ones say that they are.
      const known = new Set(expected[table].map(({ id }) => id));
      const letGo = table === 'agent_communications' ? rows.filter(({ id }) => !known.has(id)) : [];
      assert.ok(
        letGo.every(({ status }) => status === 'processed' || status === 'failed'),
        table,
      );
      assert.deepEqual(
        rows.filter((row) => !letGo.includes(row)),
        expected[table],
        table,
      );
    }
  } finally {
    database.close();
  }
}
