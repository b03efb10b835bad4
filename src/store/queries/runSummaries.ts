/** The history of runs, newest first, a page at a time. */
import * as z from 'zod';
import { diffSummarySchema, runStatusSchema, type RunOutcome } from '../../domain/run.ts';
import { tables } from '../builder.ts';
import type { QueryRunner } from './queryRunner.ts';

export interface RunPage {
  /** At most this many runs. */
  readonly limit: number;
  /** The last run of the page before; absent for the first page. */
  readonly after?: Pick<RunSummary, 'id' | 'startedAt'>;
}

export async function runSummaries(store: QueryRunner, page: RunPage, signal: AbortSignal): Promise<RunSummary[]> {
  const rows = await store.query(runSummariesQuery(page), signal);
  return rows.map((row) => rowSchema.parse(row));
}

function runSummariesQuery({ limit, after }: RunPage) {
  const page = tables
    .selectFrom('runs as run')
    .select(['run.id', 'run.objective', 'run.phase', 'run.stopped', 'run.status', 'run.reason', 'run.outcome'])
    .select(['run.used_tokens', 'run.requests', 'run.worked_ms', 'run.started_at', 'run.ended_at', 'run.diff'])
    .select(['run.archived_at'])
    .select((row) => [
      row
        .selectFrom('agent_tasks as task')
        .select((task) => task.fn.countAll<number>().as('count'))
        .whereRef('task.run_id', '=', 'run.id')
        .as('tasks'),
      row
        .selectFrom('agent_tasks as task')
        .select((task) => task.fn.countAll<number>().as('count'))
        .whereRef('task.run_id', '=', 'run.id')
        .where('task.phase', '=', 'proven')
        .as('proven_tasks'),
    ])
    .orderBy('run.started_at', 'desc')
    .orderBy('run.id', 'desc')
    .limit(limit);
  const older = after
    ? page.where((row) =>
        row.or([
          row('run.started_at', '<', after.startedAt),
          row('run.started_at', '=', after.startedAt).and('run.id', '<', after.id),
        ]),
      )
    : page;
  return older.compile();
}

const jsonSchema = z.string().transform((text): unknown => JSON.parse(text));
/** PostgreSQL gives counts as text. */
const countSchema = z.coerce.number();
const momentSchema = z.iso.datetime();

const outcomeSchema: z.ZodType<RunOutcome> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('kept') }),
  z.object({ kind: z.literal('applying'), at: momentSchema }),
  z.object({ kind: z.literal('applied'), at: momentSchema }),
  z.object({ kind: z.literal('undoing'), at: momentSchema }),
  z.object({ kind: z.literal('branched'), at: momentSchema, name: z.string(), commit: z.string() }),
  z.object({ kind: z.literal('discarded'), at: momentSchema }),
]);

const rowSchema = z
  .object({
    id: z.string(),
    objective: z.string(),
    phase: z.enum(['planning', 'awaiting-approval', 'working', 'ended']),
    stopped: z.literal([0, 1]).transform(Boolean),
    status: runStatusSchema.nullable(),
    reason: z.string().nullable(),
    outcome: jsonSchema.pipe(outcomeSchema),
    used_tokens: z.number(),
    requests: z.number(),
    worked_ms: z.number(),
    started_at: momentSchema,
    ended_at: momentSchema.nullable(),
    diff: z.null().or(jsonSchema.pipe(diffSummarySchema)),
    archived_at: momentSchema.nullable(),
    tasks: countSchema,
    proven_tasks: countSchema,
  })
  .transform((row) => ({
    id: row.id,
    objective: row.objective,
    phase: row.phase,
    stopped: row.stopped,
    status: row.status,
    reason: row.reason,
    outcome: row.outcome,
    tokens: row.used_tokens,
    requests: row.requests,
    workedMs: row.worked_ms,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    diff: row.diff,
    archivedAt: row.archived_at,
    tasks: row.tasks,
    provenTasks: row.proven_tasks,
  }));

/** A run as history lists it; what it does not have yet is null. */
export type RunSummary = z.infer<typeof rowSchema>;
