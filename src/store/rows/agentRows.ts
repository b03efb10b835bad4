/** What events do to `agent_registry`. The row of a destroyed agent is changed no more, unless its id is given again. */
import type { Updateable } from 'kysely';
import type { AgentStatus, PerformanceRecord } from '../../domain/agent.ts';
import type { Envelope, EventOf } from '../../domain/events.ts';
import { prepared, tables } from '../builder.ts';
import type { Projection, Query } from '../projection.ts';
import type { Database } from '../schema.ts';

export function createAgent(event: EventOf<'agent-created'>): Projection {
  const { agent } = event;
  const row = {
    agent_type: agent.type,
    agent_name: agent.name,
    capabilities: JSON.stringify(agent.capabilities),
    status: 'idle',
    current_task_id: null,
    specializations: JSON.stringify(agent.specializations),
    performance_metrics: '{}',
    created_at: event.at,
    last_active_at: event.at,
    destroyed_at: null,
    draining: 0,
    restarts: 0,
    trouble: null,
  } as const;
  return [
    tables
      .insertInto('agent_registry')
      .values({ id: agent.id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row)),
  ];
}

export function destroyAgent(event: EventOf<'agent-destroyed'>): Projection {
  return [setAgent(event.agentId, { status: 'idle', trouble: null, current_task_id: null, destroyed_at: event.at })];
}

export function occupyAgent(agentId: string, taskId: string, at: string): Query {
  return setAgent(agentId, { status: 'active', current_task_id: taskId, last_active_at: at });
}

/** The agent's own state changed: its status, and why. */
export function moveAgent(
  event: Envelope & { agentId: string },
  status: AgentStatus,
  trouble: string | null,
): Projection {
  return [setAgent(event.agentId, { status, trouble, last_active_at: event.at })];
}

export function drainAgent(event: EventOf<'agent-draining'>): Projection {
  return [setAgent(event.agentId, { draining: 1 })];
}

export function restartAgent(event: EventOf<'agent-restarted'>): Projection {
  return [
    setAgent(event.agentId, { status: 'active', trouble: null, last_active_at: event.at }),
    living(event.agentId).set((row) => ({ restarts: row('restarts', '+', 1) })),
  ];
}

/** Frees the agent that the task is assigned to, if it still works on it. */
export function releaseAgent(taskId: string, at: string): Query {
  return tables
    .updateTable('agent_registry')
    .set({ status: 'idle', trouble: null, current_task_id: null, last_active_at: at })
    .where('current_task_id', '=', taskId)
    .where('id', '=', (query) =>
      query.selectFrom('agent_tasks').select('assigned_agent_id').where('agent_tasks.id', '=', taskId),
    )
    .where('destroyed_at', 'is', null);
}

export function setPerformance(agentId: string, performance: Readonly<Record<string, PerformanceRecord>>): Query {
  return setAgent(agentId, { performance_metrics: JSON.stringify(performance) });
}

function setAgent(agentId: string, values: Updateable<Database['agent_registry']>): Query {
  return setRow({ ...values, id: agentId });
}

const setRow = prepared(({ id, ...values }: Updateable<Database['agent_registry']> & { id: string }) =>
  living(id).set(values),
);

function living(agentId: string) {
  return tables.updateTable('agent_registry').where('id', '=', agentId).where('destroyed_at', 'is', null);
}
