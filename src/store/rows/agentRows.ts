/** What events do to `agent_registry`. The row of a destroyed agent is changed no more, unless its id is given again. */
import type { Compilable } from 'kysely';
import type { PerformanceRecord } from '../../domain/agent.ts';
import type { EventOf } from '../../domain/events.ts';
import { tables } from '../builder.ts';
import type { Projection } from '../projection.ts';

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
  } as const;
  return [
    tables
      .insertInto('agent_registry')
      .values({ id: agent.id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row)),
  ];
}

export function destroyAgent(event: EventOf<'agent-destroyed'>): Projection {
  return [
    tables
      .updateTable('agent_registry')
      .set({ status: 'idle', current_task_id: null, destroyed_at: event.at })
      .where('id', '=', event.agentId)
      .where('destroyed_at', 'is', null),
  ];
}

export function occupyAgent(agentId: string, taskId: string, at: string): Compilable {
  return tables
    .updateTable('agent_registry')
    .set({ status: 'busy', current_task_id: taskId, last_active_at: at })
    .where('id', '=', agentId)
    .where('destroyed_at', 'is', null);
}

/** Frees the agent that the task is assigned to, if it still works on it. */
export function releaseAgent(taskId: string, at: string): Compilable {
  return tables
    .updateTable('agent_registry')
    .set({ status: 'idle', current_task_id: null, last_active_at: at })
    .where('current_task_id', '=', taskId)
    .where('id', '=', (query) =>
      query.selectFrom('agent_tasks').select('assigned_agent_id').where('agent_tasks.id', '=', taskId),
    )
    .where('destroyed_at', 'is', null);
}

export function setPerformance(agentId: string, performance: Readonly<Record<string, PerformanceRecord>>): Compilable {
  return tables
    .updateTable('agent_registry')
    .set({ performance_metrics: JSON.stringify(performance) })
    .where('id', '=', agentId)
    .where('destroyed_at', 'is', null);
}
