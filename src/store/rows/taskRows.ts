/** What events do to `agent_tasks`, and to the agent that holds the task. */
import type { Updateable } from 'kysely';
import type { PerformanceRecord } from '../../domain/agent.ts';
import type { Envelope, EventOf } from '../../domain/events.ts';
import type { CheckResult } from '../../domain/proof.ts';
import { STATUS_BY_PHASE, type TaskPhase, type TaskSpec } from '../../domain/task.ts';
import { prepared, tables } from '../builder.ts';
import { rowsOf, type Projection, type Query } from '../projection.ts';
import type { Database } from '../schema.ts';
import { occupyAgent, releaseAgent, setPerformance } from './agentRows.ts';
import { runIdOf } from './runRows.ts';

/** What verification saw; the output of its checks stays in the events. */
export interface TaskProof {
  work?: { commit: string; tree: string };
  checks: Omit<CheckResult, 'output'>[];
}

export function insertTask(event: EventOf<'task-created'>): Projection {
  const { task } = event;
  return [
    tables.insertInto('agent_tasks').values({
      id: task.id,
      parent_task_id: task.parentTaskId ?? null,
      task_type: task.type,
      task_description: task.description,
      task_context: contextOf(task),
      dependencies: JSON.stringify(task.dependsOn),
      priority: task.priority,
      status: STATUS_BY_PHASE.waiting,
      estimated_duration_ms: task.estimateMs === undefined ? null : Math.round(task.estimateMs),
      created_at: event.at,
      run_id: runIdOf(event),
      task_key: task.key,
      title: task.title,
      phase: 'waiting',
      attempt: 1,
      role: task.role,
      acceptance: JSON.stringify(task.acceptance),
      tokens: 0,
      refused_claims: 0,
    }),
  ];
}

export function contextOf({ input, capabilities, reads, writes }: TaskSpec): string {
  return JSON.stringify({ input, capabilities, reads, writes });
}

export function setPhase(event: Envelope, phase: TaskPhase): Query {
  return setTask(event, { phase, status: STATUS_BY_PHASE[phase] });
}

export function delegateTask(event: EventOf<'task-delegated'>): Projection {
  return [
    setTask(event, {
      assigned_agent_id: event.agentId,
      ...(event.delegatedByAgentId === undefined ? {} : { delegated_by_agent_id: event.delegatedByAgentId }),
    }),
    occupyAgent(event.agentId, taskIdOf(event), event.at),
  ];
}

export function startTask(event: EventOf<'task-started'>): Projection {
  return [
    setPhase(event, 'working'),
    tables
      .updateTable('agent_tasks')
      .set({ started_at: event.at })
      .where('id', '=', taskIdOf(event))
      .where('started_at', 'is', null),
  ];
}

export function* claimTask(event: EventOf<'task-claimed'>): Generator<Query, void, readonly unknown[]> {
  const proof = yield* readProof(event);
  yield setPhase(event, 'proving');
  yield setTask(event, {
    result: JSON.stringify({ summary: event.summary, artifacts: event.artifacts }),
    proof: proofText({ ...proof, checks: [] }),
  });
}

export function* commitTask(event: EventOf<'task-committed'>): Generator<Query, void, readonly unknown[]> {
  const proof = yield* readProof(event);
  yield setTask(event, { proof: proofText({ ...proof, work: { commit: event.commit, tree: event.tree } }) });
}

export function* addCheck(event: EventOf<'check-ended'>): Generator<Query, void, readonly unknown[]> {
  const proof = yield* readProof(event);
  yield setTask(event, { proof: proofText({ ...proof, checks: [...proof.checks, withoutOutput(event.result)] }) });
}

export function reopenTask(event: EventOf<'task-reopened'>): Projection {
  return [setPhase(event, 'working'), addToTask(event, 'refused_claims', 1)];
}

/** Ends the task, adds to its agent's record what it took, and frees the agent. */
export function* endTask(
  event: EventOf<'task-proven' | 'task-failed' | 'task-cancelled'>,
  phase: 'proven' | 'failed' | 'cancelled',
  failure: string | undefined,
): Generator<Query, void, readonly unknown[]> {
  const [task] = yield* rowsOf(finishedTask(taskIdOf(event)));
  if (!task) {
    throw new Error(`there is no row of the task ${taskIdOf(event)}`);
  }
  const durationMs = task.started_at === null ? null : millisecondsBetween(task.started_at, event.at);
  yield setPhase(event, phase);
  yield setTask(event, {
    completed_at: event.at,
    actual_duration_ms: durationMs,
    ...(failure === undefined ? {} : { failure }),
  });
  if (task.agent_id !== null && task.performance_metrics !== null && phase !== 'cancelled') {
    // The column is only written by `setPerformance`.
    const performance = JSON.parse(task.performance_metrics) as Record<string, PerformanceRecord>;
    const record = (performance[task.task_type] ??= { proven: 0, failed: 0, refusedClaims: 0, workedMs: 0, tokens: 0 });
    record[phase]++;
    record.refusedClaims += task.refused_claims;
    record.workedMs += durationMs ?? 0;
    record.tokens += task.tokens;
    yield setPerformance(task.agent_id, performance);
  }
  yield releaseAgent(taskIdOf(event), event.at);
}

/** Begins anew with the next attempt. */
export function retryTask(event: EventOf<'task-retried' | 'task-handed-back'>): Projection {
  return [
    releaseAgent(taskIdOf(event), event.at),
    setPhase(event, 'ready'),
    addToTask(event, 'attempt', 1),
    setTask(event, {
      assigned_agent_id: null,
      actual_duration_ms: null,
      result: null,
      completed_at: null,
      proof: null,
      failure: null,
    }),
  ];
}

export function millisecondsBetween(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

export function withoutOutput({
  index,
  stage,
  passed,
  summary,
  tree,
  durationMs,
}: CheckResult): TaskProof['checks'][0] {
  return { index, stage, passed, summary, tree, durationMs };
}

/** The column's text; null while nothing was verified. */
export function proofText({ work, checks }: TaskProof): string | null {
  return work === undefined && checks.length === 0 ? null : JSON.stringify({ work, checks });
}

function* readProof(event: Envelope): Generator<Query, TaskProof, readonly unknown[]> {
  const query = tables.selectFrom('agent_tasks').select('proof').where('id', '=', taskIdOf(event));
  const [task] = yield* rowsOf(query);
  // The column is only written by `proofText`.
  return task?.proof ? (JSON.parse(task.proof) as TaskProof) : { checks: [] };
}

/** A task together with its agent, if that one is still there. */
function finishedTask(taskId: string) {
  return tables
    .selectFrom('agent_tasks as task')
    .leftJoin('agent_registry as agent', (join) =>
      join.onRef('agent.id', '=', 'task.assigned_agent_id').on('agent.destroyed_at', 'is', null),
    )
    .select(['task.task_type', 'task.started_at', 'task.tokens', 'task.refused_claims'])
    .select(['agent.id as agent_id', 'agent.performance_metrics'])
    .where('task.id', '=', taskId);
}

function setTask(event: Envelope, values: Updateable<Database['agent_tasks']>): Query {
  return setRow({ ...values, id: taskIdOf(event) });
}

const setRow = prepared(({ id, ...values }: Updateable<Database['agent_tasks']> & { id: string }) =>
  tables.updateTable('agent_tasks').set(values).where('id', '=', id),
);

export function addToTask(event: Envelope, column: keyof typeof ADD, amount: number): Query {
  return ADD[column]({ id: taskIdOf(event), amount });
}

const adding = (column: 'attempt' | 'tokens' | 'refused_claims') =>
  prepared(({ id, amount }: { id: string; amount: number }) =>
    tables
      .updateTable('agent_tasks')
      .set((row) => ({ [column]: row(column, '+', amount) }))
      .where('id', '=', id),
  );
const ADD = { attempt: adding('attempt'), tokens: adding('tokens'), refused_claims: adding('refused_claims') };

/** The task that an event belongs to; `apply` refuses one without. */
export function taskIdOf(event: Envelope): string {
  return event.taskId ?? '';
}
