import type { CompiledQuery } from 'kysely';

/** Whatever answers the questions of this folder: `TablesStore`, or another database with the same tables. */
export interface QueryRunner {
  query<Result>(query: CompiledQuery<Result>, signal: AbortSignal): Promise<Result[]>;
}
