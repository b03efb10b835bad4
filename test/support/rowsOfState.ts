/** The rows that the tables must have, told from the living state alone and without the projector's help. */
import type { Agent } from '../../src/domain/agent.ts';
import type { RequestRecord } from '../../src/domain/approval.ts';
import type { SquadEvent } from '../../src/domain/events.ts';
import type { MessageRecord } from '../../src/domain/message.ts';
import type { Run } from '../../src/domain/run.ts';
import type { SquadState } from '../../src/domain/squadState.ts';
import { STATUS_BY_PHASE, type Task } from '../../src/domain/task.ts';

/** A row with its JSON columns parsed. */
export type ExpectedRow = Record<string, unknown> & { id: string };
export type ExpectedTables = Record<(typeof TABLES)[number], ExpectedRow[]>;

/** In each table, the rows are ordered by id. */
export const TABLES = [
  'runs',
  'agent_registry',
  'agent_communications',
  'dead_letters',
  'agent_tasks',
  'approvals',
] as const;

/** `eventAt` finds the event of a body that the living state does not keep. */
export function rowsOfState(state: SquadState, eventAt: (sequence: number) => SquadEvent): ExpectedTables {
  const runs = Object.values(state.runs);
  const all = <Item>(
    of: (run: Run) => Record<string, Item>,
    row: (item: Item, run: Run) => ExpectedRow,
  ): ExpectedRow[] => runs.flatMap((run) => Object.values(of(run)).map((item) => row(item, run)));
  return sorted({
    runs: runs.map(runRow),
    agent_registry: Object.values(state.standing.agents).map(agentRow),
    agent_communications: all(
      (run) => run.messages,
      (message, run) => messageRow(message, run, eventAt),
    ),
    dead_letters: runs.flatMap((run) => Object.values(run.messages).flatMap((message) => deadLetterRow(message, run))),
    agent_tasks: all((run) => run.tasks, taskRow),
    approvals: all((run) => run.requests, approvalRow),
  });
}

export function sorted(tables: ExpectedTables): ExpectedTables {
  for (const rows of Object.values(tables)) {
    rows.sort((one, other) => (one.id < other.id ? -1 : 1));
  }
  return tables;
}

function runRow(run: Run): ExpectedRow {
  return {
    id: run.id,
    objective: run.objective,
    phase: run.phase,
    paused: run.paused ? 1 : 0,
    stopped: run.stopped ? 1 : 0,
    status: run.status ?? null,
    outcome: run.outcome,
    reason: run.reason ?? null,
    options: run.options,
    used_tokens: run.account.usedTokens,
    used_micro_usd:
      run.account.unpricedTokens > 0 && run.account.unpricedTokens === run.account.usedTokens
        ? null
        : run.account.usedMicroUsd,
    unpriced_tokens: run.account.unpricedTokens,
    requests: run.account.requests,
    worked_ms: run.account.workedMs,
    started_at: run.startedAt,
    ended_at: run.endedAt ?? null,
    diff: run.diff ?? null,
    archived_at: null,
  };
}

function agentRow(agent: Agent): ExpectedRow {
  return {
    id: agent.id,
    agent_type: agent.type,
    agent_name: agent.name,
    capabilities: agent.capabilities,
    status: agent.status,
    current_task_id: agent.currentTaskId ?? null,
    specializations: agent.specializations,
    performance_metrics: agent.performance,
    created_at: agent.createdAt,
    last_active_at: agent.lastActiveAt,
    destroyed_at: null,
    draining: agent.draining ? 1 : 0,
    restarts: agent.restarts,
    trouble: agent.trouble?.reason ?? null,
  };
}

function messageRow(message: MessageRecord, run: Run, eventAt: (sequence: number) => SquadEvent): ExpectedRow {
  return {
    id: message.id,
    sender_agent_id: message.sender.kind === 'agent' ? message.sender.id : null,
    receiver_agent_id: message.receiver.kind === 'agent' && !isUnknown(message) ? message.receiver.id : null,
    message_type: message.type,
    message_content: message.content.kind === 'stored' ? contentIn(eventAt(message.sequence)) : message.content,
    priority: message.priority,
    status: message.status,
    sent_at: message.sentAt,
    processed_at: message.processedAt ?? null,
    run_id: run.id,
    sender_kind: message.sender.kind,
    receiver_kind: message.receiver.kind,
    broadcast_id: message.broadcastId ?? null,
    thread_id: message.threadId ?? null,
    in_reply_to: message.inReplyTo ?? null,
    refusals: message.refusals,
    rests_until: message.restsUntil ?? null,
  };
}

function isUnknown({ deadLetter }: MessageRecord): boolean {
  return deadLetter?.cause === 'unknown-receiver' && deadLetter.resentAt === undefined;
}

function deadLetterRow({ id, deadLetter }: MessageRecord, run: Run): ExpectedRow[] {
  return deadLetter
    ? [
        {
          id,
          run_id: run.id,
          cause: deadLetter.cause,
          reason: deadLetter.reason,
          failed_at: deadLetter.failedAt,
          resent_at: deadLetter.resentAt ?? null,
        },
      ]
    : [];
}

function contentIn(event: SquadEvent): unknown {
  return event.type === 'message-sent' ? event.message.content : undefined;
}

function taskRow(task: Task, run: Run): ExpectedRow {
  const ended = task.completedAt !== undefined && task.startedAt !== undefined;
  const verified = task.work !== undefined || task.checks.length > 0;
  return {
    id: task.id,
    parent_task_id: task.parentTaskId ?? null,
    assigned_agent_id: task.agentId ?? null,
    delegated_by_agent_id: task.delegatedByAgentId ?? null,
    task_type: task.type,
    task_description: task.description,
    task_context: {
      ...(task.input === undefined ? {} : { input: task.input }),
      capabilities: task.capabilities,
      reads: task.reads,
      writes: task.writes,
    },
    dependencies: task.dependsOn,
    priority: task.priority,
    status: STATUS_BY_PHASE[task.phase],
    estimated_duration_ms: task.estimateMs === undefined ? null : Math.round(task.estimateMs),
    actual_duration_ms: ended ? Date.parse(task.completedAt ?? '') - Date.parse(task.startedAt ?? '') : null,
    result: task.claim ?? null,
    created_at: task.createdAt,
    started_at: task.startedAt ?? null,
    completed_at: task.completedAt ?? null,
    run_id: run.id,
    task_key: task.key,
    title: task.title,
    phase: task.phase,
    attempt: task.attempt,
    role: task.role,
    acceptance: task.acceptance,
    proof: verified
      ? {
          ...(task.work ? { work: task.work } : {}),
          checks: task.checks.map(({ index, stage, passed, summary, tree, durationMs }) => ({
            index,
            stage,
            passed,
            summary,
            tree,
            durationMs,
          })),
        }
      : null,
    failure: task.failure ?? null,
    tokens: task.tokens,
    refused_claims: task.refusedClaims,
  };
}

function approvalRow(request: RequestRecord, run: Run): ExpectedRow {
  return {
    id: request.id,
    run_id: run.id,
    task_id: request.taskId ?? null,
    agent_id: request.agentId ?? null,
    subject: request.subject,
    answer: request.answer ?? null,
    door: request.door ?? null,
    opened_at: request.openedAt,
  };
}
