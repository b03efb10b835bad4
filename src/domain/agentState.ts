/** What events do to the agents of the living state: the part of `apply` that holds the machine drawn in `agent.ts`. */
import { assertNever } from '../base/assertNever.ts';
import { REMEMBERED_RESTARTS, type Agent, type AgentStatus, type AgentType } from './agent.ts';
import type { BudgetAccount } from './budget.ts';
import type { Rule } from './approval.ts';
import type { EventOf, SquadEvent } from './events.ts';
import { nothingSpent, sumOf } from './limits.ts';
import type { Task } from './task.ts';

/** What outlives a run. */
export interface Standing {
  agents: Record<string, Agent>;
  /** Agents of a role that were ever made; the next one's id counts on. */
  agentsMade: Partial<Record<AgentType, number>>;
  /** Roles whose number a person chose; any other role has as many agents as its queue asks for. */
  poolSizes: Partial<Record<AgentType, number>>;
  /** What the newest days came to, by day in UTC. */
  days: Record<string, BudgetAccount>;
  /** By id. */
  rules: Record<string, Rule>;
}

export const emptyStanding = (): Standing => ({ agents: {}, agentsMade: {}, poolSizes: {}, days: {}, rules: {} });

/** Events about an agent itself; `agent-restarted` changes its task too, and `apply` sees to that. */
export type AgentEvent = Extract<SquadEvent, { type: `agent-${string}` | 'pool-scaled' }>;

export function isAgentEvent(event: SquadEvent): event is AgentEvent {
  return event.type.startsWith('agent-') || event.type === 'pool-scaled';
}

export function applyToAgents(standing: Standing, event: AgentEvent): void {
  switch (event.type) {
    case 'agent-created':
      create(standing, event);
      return;
    case 'agent-destroyed':
      delete standing.agents[event.agentId];
      return;
    case 'pool-scaled':
      if (event.count === 0) {
        delete standing.poolSizes[event.agentType];
      } else {
        standing.poolSizes[event.agentType] = event.count;
      }
      return;
    case 'agent-draining':
      agentOf(standing, event).draining = true;
      return;
    case 'agent-began':
      move(agentOf(standing, event), event, ['active'], 'busy');
      return;
    case 'agent-crashed':
    case 'agent-silent':
    case 'agent-stuck': {
      const agent = agentOf(standing, event);
      move(agent, event, ['active', 'busy'], 'error');
      const { reason } = event;
      agent.trouble = {
        kind: event.type === 'agent-crashed' ? 'crashed' : event.type === 'agent-silent' ? 'silent' : 'stuck',
        reason,
        chance: event.type === 'agent-stuck' ? 0 : event.chance,
      };
      return;
    }
    case 'agent-restart-planned':
      return;
    case 'agent-restarted': {
      const agent = agentOf(standing, event);
      move(agent, event, ['error'], 'active');
      delete agent.trouble;
      agent.restarts++;
      agent.restartedAt = [...agent.restartedAt, event.at].slice(-REMEMBERED_RESTARTS);
      return;
    }
    case 'agent-given-up': {
      const agent = agentOf(standing, event);
      move(agent, event, ['idle'], 'error');
      agent.trouble = { kind: 'crashed', reason: event.reason, chance: 0 };
      return;
    }
    case 'agent-recovered': {
      const agent = agentOf(standing, event);
      if (agent.currentTaskId !== undefined) {
        throw new Error(`Event ${event.sequence} (${event.type}) does not fit: ${agent.id} still has a task`);
      }
      move(agent, event, ['error'], 'idle');
      delete agent.trouble;
      agent.restartedAt = [];
      return;
    }
    case 'agent-idled':
      return;
    default:
      assertNever(event);
  }
}

/** Gives an idle agent a task. An agent that was destroyed meanwhile is passed over, as the recorded event says. */
export function occupyAgent(standing: Standing, event: EventOf<'task-delegated'>): void {
  const agent = standing.agents[event.agentId];
  if (agent) {
    move(agent, event, ['idle'], 'active');
    agent.currentTaskId = event.taskId ?? '';
  }
}

/** Frees the agent that holds the task, if there is one. */
export function releaseAgent(standing: Standing, task: Task, at: string): void {
  const agent = holderOf(standing, task);
  if (agent) {
    agent.status = 'idle';
    agent.lastActiveAt = at;
    agent.spent = sumOf(agent.spent, task.spent);
    delete agent.trouble;
    delete agent.currentTaskId;
  }
}

/** The agent that works on the task now. */
export function holderOf(standing: Standing, task: Task): Agent | undefined {
  const agent = task.agentId === undefined ? undefined : standing.agents[task.agentId];
  return agent?.currentTaskId === task.id ? agent : undefined;
}

/** Adds the end of a task to the record of whoever it was assigned to. */
export function recordEnd(standing: Standing, task: Task, phase: 'proven' | 'failed', at: string): void {
  const agent = task.agentId === undefined ? undefined : standing.agents[task.agentId];
  if (!agent) {
    return;
  }
  const record = (agent.performance[task.type] ??= { proven: 0, failed: 0, refusedClaims: 0, workedMs: 0, tokens: 0 });
  record[phase]++;
  record.refusedClaims += task.refusedClaims;
  record.workedMs += task.startedAt === undefined ? 0 : Math.max(0, Date.parse(at) - Date.parse(task.startedAt));
  record.tokens += task.tokens;
}

function create({ agents, agentsMade }: Standing, { agent, at }: EventOf<'agent-created'>): void {
  agentsMade[agent.type] = (agentsMade[agent.type] ?? 0) + 1;
  agents[agent.id] = {
    ...agent,
    status: 'idle',
    performance: {},
    draining: false,
    restarts: 0,
    restartedAt: [],
    spent: nothingSpent(),
    createdAt: at,
    lastActiveAt: at,
  };
}

function move(agent: Agent, event: SquadEvent, from: readonly AgentStatus[], to: AgentStatus): void {
  if (!from.includes(agent.status)) {
    throw new Error(
      `Event ${event.sequence} (${event.type}) does not fit: ${agent.id} is ${agent.status}, not ${from.join(' or ')}`,
    );
  }
  agent.status = to;
  agent.lastActiveAt = event.at;
}

function agentOf(standing: Standing, event: { agentId: string } & SquadEvent): Agent {
  const agent = standing.agents[event.agentId];
  if (!agent) {
    throw new Error(`Event ${event.sequence} (${event.type}) names an agent that does not exist: ${event.agentId}`);
  }
  return agent;
}
