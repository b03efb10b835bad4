/** The tables in sql.js, in memory: applies events, answers queries, gives its image. Knows no files and no threads. */
import type { Database as SqlDatabase, SqlJsStatic, SqlValue, Statement } from 'sql.js';
import { messageOf } from '../../domain/errors.ts';
import type { SquadEvent } from '../../domain/events.ts';
import { execute, type Query } from '../projection.ts';
import { projectionOf } from '../projector.ts';
import { DDL } from '../schema.ts';

/** A query as Kysely compiled it. */
export interface CompiledSql {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export type Row = Record<string, SqlValue>;

/** The file is sql.js's memory and this is its only user: no second journal, no waiting, no locks, pages kept. */
const PRAGMAS = [
  'PRAGMA journal_mode=memory',
  'PRAGMA synchronous=off',
  'PRAGMA locking_mode=exclusive',
  'PRAGMA cache_size=-32768',
  'PRAGMA foreign_keys=on',
].join(';');

export class TablesDatabase {
  private readonly database: SqlDatabase;
  /** The projector has some forty different texts, each prepared once. */
  private readonly statements = new Map<string, Statement>();

  /** With an image its content, otherwise empty tables. */
  constructor(sql: SqlJsStatic, image: Uint8Array | undefined) {
    this.database = new sql.Database(image);
    this.database.exec(PRAGMAS);
    if (!image) {
      this.database.exec(DDL.join(';'));
    }
  }

  /** One transaction for all. Throws an error that names the event when one does not fit; then nothing has changed. */
  apply(events: readonly SquadEvent[]): void {
    this.database.exec('BEGIN');
    try {
      for (const event of events) {
        this.applyOne(event);
      }
      this.database.exec('COMMIT');
    } catch (error) {
      this.database.exec('ROLLBACK');
      throw error;
    }
  }

  query(query: CompiledSql): Row[] {
    const statement = this.database.prepare(query.sql);
    try {
      return rowsOf(statement, query);
    } finally {
      statement.free();
    }
  }

  /** The whole content as an SQLite file. */
  image(): Uint8Array {
    const image = this.database.export();
    // Exporting closes and reopens the database: what was prepared is gone, and so are the pragmas.
    this.statements.clear();
    this.database.exec(PRAGMAS);
    return image;
  }

  close(): void {
    this.database.close();
  }

  private applyOne(event: SquadEvent): void {
    try {
      execute(projectionOf(event), (query) => this.write(query));
    } catch (error) {
      throw new Error(`Event ${event.sequence} (${event.type}) does not fit the tables: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  private write(query: Query): Row[] {
    const compiled = query.compile();
    let statement = this.statements.get(compiled.sql);
    if (!statement) {
      statement = this.database.prepare(compiled.sql);
      this.statements.set(compiled.sql, statement);
    }
    return rowsOf(statement, compiled);
  }
}

function rowsOf(statement: Statement, { parameters }: CompiledSql): Row[] {
  const rows: Row[] = [];
  try {
    statement.bind(parameters.map(sqlValueOf));
    while (statement.step()) {
      rows.push(statement.getAsObject());
    }
  } finally {
    statement.reset();
  }
  return rows;
}

function sqlValueOf(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array) {
    return value;
  }
  throw new TypeError(`SQL has no place for a value of type ${typeof value}`);
}
