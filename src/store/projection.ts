/** What one event does to the tables, as queries to execute in order. */
import type { Compilable } from 'kysely';

/** One query, as Kysely builds it or as `prepared` keeps it. */
export interface Query {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[] };
}

/** Queries in order. One that stands behind `rowsOf` is handed its rows; the rows of all others are ignored. */
export type Projection = Iterable<Query, unknown, readonly unknown[]>;

/** Asks for rows in the middle of a projection: `const [task] = yield* rowsOf(query)`. */
export function* rowsOf<Row>(query: Compilable<Row>): Generator<Query, readonly Row[], readonly unknown[]> {
  // The executor answers a query with that query's rows; a generator's type cannot say so.
  return (yield query) as readonly Row[];
}

/** Runs a projection over an executor that answers at once. */
export function execute(projection: Projection, executor: (query: Query) => readonly unknown[]): void {
  const queries = projection[Symbol.iterator]();
  for (let step = queries.next([]); step.done !== true;) {
    step = queries.next(executor(step.value));
  }
}
