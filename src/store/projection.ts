/** What one event does to the tables, as queries to execute in order. Whoever executes them compiles for its own dialect. */
import type { Compilable } from 'kysely';

/** Queries in order. One that stands behind `rowsOf` is handed its rows; the rows of all others are ignored. */
export type Projection = Iterable<Compilable, unknown, readonly unknown[]>;

/** Asks for rows in the middle of a projection: `const [task] = yield* rowsOf(query)`. */
export function* rowsOf<Row>(query: Compilable<Row>): Generator<Compilable, readonly Row[], readonly unknown[]> {
  // The executor answers a query with that query's rows; a generator's type cannot say so.
  return (yield query) as readonly Row[];
}

/** Runs a projection over an executor that answers at once. */
export function execute(projection: Projection, executor: (query: Compilable) => readonly unknown[]): void {
  const queries = projection[Symbol.iterator]();
  for (let step = queries.next([]); step.done !== true;) {
    step = queries.next(executor(step.value));
  }
}
