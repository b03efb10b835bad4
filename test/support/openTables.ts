/** The tables in this process, and their content as `rowsOfState` tells it. */
import initSqlJs from 'sql.js';
import { TablesDatabase, type CompiledSql, type Row } from '../../src/store/sqljs/tablesDatabase.ts';
import { TABLES, type ExpectedRow, type ExpectedTables } from './rowsOfState.ts';

export async function openTables(): Promise<TablesDatabase> {
  return new TablesDatabase(await initSqlJs(), undefined);
}

const JSON_COLUMNS = new Set([
  ...['outcome', 'options', 'diff', 'capabilities', 'specializations', 'performance_metrics', 'message_content'],
  ...['task_context', 'dependencies', 'result', 'acceptance', 'proof', 'subject', 'answer'],
]);

export const allRowsOf = (table: string): CompiledSql => ({
  sql: `SELECT * FROM ${table} ORDER BY id`,
  parameters: [],
});

export function readTables(database: TablesDatabase): ExpectedTables {
  const entries = TABLES.map((table) => [table, database.query(allRowsOf(table)).map(parseRow)]);
  // Entries of every table, each with its rows.
  return Object.fromEntries(entries) as ExpectedTables;
}

export function parseRow(row: Row): ExpectedRow {
  const entries = Object.entries(row).map(([column, value]): [string, unknown] => [
    column,
    JSON_COLUMNS.has(column) && typeof value === 'string' ? JSON.parse(value) : value,
  ]);
  return { id: '', ...Object.fromEntries(entries) };
}
