/** Builds queries over the tables and compiles them; it executes none and has no connection. */
import { type Compilable, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Query } from './projection.ts';
import type { Database } from './schema.ts';

/** What it builds is a tree that PostgreSQL's compiler takes as well: no function that only one dialect knows. */
export const tables = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/**
 * A query whose text is built once for each set of keys that its values have: to build and compile it takes longer than to
 * execute it. `build` passes each value on as it is; a value that is undefined is not there.
 */
export function prepared<Values extends object>(build: (values: Values) => Compilable): (values: Values) => Query {
  const known = new Map<string, { readonly sql: string; readonly parameters: readonly unknown[] }>();
  return (values) => ({
    compile: () => {
      const given = new Map(Object.entries(values).filter(([, value]) => value !== undefined));
      const shape = [...given.keys()].join();
      let text = known.get(shape);
      if (!text) {
        const places = Object.fromEntries([...given.keys()].map((key) => [key, new Place(key)]));
        // A place stands where its value will; `build` looks at none.
        text = build(places as Values).compile();
        known.set(shape, text);
      }
      return {
        sql: text.sql,
        parameters: text.parameters.map((parameter): unknown =>
          parameter instanceof Place ? given.get(parameter.key) : parameter,
        ),
      };
    },
  });
}

/** Where a value will stand among the parameters. */
class Place {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }
}
