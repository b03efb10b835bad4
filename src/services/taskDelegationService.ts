/** Who does what: matches a task's needs with what the agents can do, their record and their load. */
import type { Agent } from '../domain/agent.ts';
import type { AgentView, TaskView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';
import type { Ledger } from '../ports.ts';

export interface TaskRequirements {
  readonly role: Agent['type'];
  readonly taskType: string;
  readonly capabilities: readonly string[];
}

export interface Candidate {
  readonly agent: AgentView;
  /** Between 0 and 1. */
  readonly score: number;
  readonly reason: string;
}

/** How much each part counts; they sum to 1. */
const WEIGHTS = { capability: 0.5, record: 0.3, load: 0.2 };

export class TaskDelegationService {
  private readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Free agents of the role, best first; ties go to the older agent, so the choice is the same on every replay. */
  rankAgents(requirements: TaskRequirements): Candidate[] {
    return Object.values(this.ledger.state.standing.agents)
      .filter(({ type, status, draining }) => type === requirements.role && status === 'idle' && !draining)
      .map((agent) => this.score(agent, requirements))
      .sort(
        (a, b) =>
          b.score - a.score ||
          a.agent.createdAt.localeCompare(b.agent.createdAt) ||
          a.agent.id.localeCompare(b.agent.id),
      );
  }

  /** The best free agent. Rejects when nobody of the role is free. */
  findBestAgent(taskRequirements: TaskRequirements): Promise<Agent> {
    const [best] = this.rankAgents(taskRequirements);
    return best
      ? Promise.resolve(structuredClone(best.agent) as Agent)
      : Promise.reject(new Error(`No free ${taskRequirements.role} agent.`));
  }

  /** Gives the task to the best free agent in one synchronous step; undefined when nobody is free. */
  delegate(task: TaskView): AgentView | undefined {
    const candidates = this.rankAgents({ role: task.role, taskType: task.type, capabilities: task.capabilities });
    const [best] = candidates;
    if (!best) {
      return undefined;
    }
    const parent = this.ledger.state.runs[task.runId]?.tasks[task.parentTaskId ?? ''];
    this.ledger.append({
      type: 'task-delegated',
      ...stampOf(task),
      agentId: best.agent.id,
      ...(parent?.agentId === undefined ? {} : { delegatedByAgentId: parent.agentId }),
      candidates: candidates.slice(0, 5).map(({ agent, score, reason }) => ({ agentId: agent.id, score, reason })),
    });
    return best.agent;
  }

  private score(agent: AgentView, { capabilities, taskType }: TaskRequirements): Candidate {
    const has = capabilities.filter((capability) => agent.capabilities.includes(capability)).length;
    const capability = capabilities.length === 0 ? 1 : has / capabilities.length;
    const record = agent.performance[taskType];
    const tried = record ? record.proven + record.failed : 0;
    // One imagined success and one failure keep a short record from deciding alone.
    const trust = ((record?.proven ?? 0) + 1) / (tried + 2);
    const total = Object.values(agent.performance).reduce((sum, { proven, failed }) => sum + proven + failed, 0);
    const load = 1 / (1 + total / 10);
    const score = WEIGHTS.capability * capability + WEIGHTS.record * trust + WEIGHTS.load * load;
    const known = capabilities.length === 0 ? 'no special needs' : `${has} of ${capabilities.length} capabilities`;
    return { agent, score, reason: `${known}; ${record?.proven ?? 0} of ${tried} such tasks proven` };
  }
}
