/** Makes agents: the registry's record, which lasts, and the object that runs, which a restart makes anew. */
import type { Agent, AgentConfig, AgentIdentity, AgentType } from '../domain/agent.ts';
import { HumanError } from '../domain/errors.ts';
import { RUNTIME, type Actor } from '../domain/events.ts';
import type { HealthStatus } from '../domain/health.ts';
import { findTask, type AgentView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';
import type { AgentHealth } from './agentHealth.ts';
import { failMailOf } from './deadLetters.ts';
import { handBack } from './handBack.ts';

/** Of one role, whatever a person or a queue asks for. */
const MOST_AGENTS = 32;

/** Makes the running object of a role. `squad.ts` gives the table, so services know no agent class. */
export type RoleTable<Running> = Readonly<Record<AgentType, ((identity: AgentIdentity) => Running) | undefined>>;

const DEFAULTS: Readonly<Record<AgentType, Omit<AgentConfig, 'name'>>> = {
  planning: { capabilities: ['planning'], specializations: [] },
  coding: { capabilities: ['javascript', 'typescript', 'node', 'review'], specializations: ['code'] },
  testing: { capabilities: ['javascript', 'typescript', 'node', 'unit-tests'], specializations: ['tests'] },
  research: { capabilities: ['research'], specializations: [] },
  deployment: { capabilities: ['deployment'], specializations: [] },
};

export class AgentFactory<Running> {
  private readonly ledger: Ledger;
  private readonly roles: RoleTable<Running>;
  private readonly health: Pick<AgentHealth, 'statusOf'>;
  private readonly running = new Map<string, Running>();

  constructor(ledger: Ledger, roles: RoleTable<Running>, health: Pick<AgentHealth, 'statusOf'>) {
    this.ledger = ledger;
    this.roles = roles;
    this.health = health;
  }

  /** Registers an agent. Rejects with a HumanError when nobody can play the role. */
  async createAgent(type: AgentType, config?: Partial<AgentConfig>): Promise<Agent> {
    const { appended, id } = this.register(type, config);
    await appended.durable;
    return this.recordOf(id);
  }

  /**
   * Takes an agent out of the team; resolves when that is durable. A task it has is handed back first and begins anew with
   * somebody else; mail that waits for it comes back as failed. Rejects with a HumanError when there is no such agent.
   */
  async destroyAgent(agentId: string, reason = 'it was sent away'): Promise<void> {
    await this.dismiss(agentId, reason).durable;
  }

  /**
   * Makes so many agents of a role and keeps it at that number, until somebody chooses another one; 0 sends all away and
   * lets the queue decide again. What is too many goes: those without a task at once, the others after their task. Answers
   * who stays. Rejects with a HumanError when nobody can play the role.
   */
  async scaleAgents(type: AgentType, count: number, actor: Actor = RUNTIME): Promise<Agent[]> {
    if (!this.roles[type]) {
      throw new HumanError(`There is no ${type} agent in this version.`);
    }
    if (!Number.isInteger(count) || count < 0 || count > MOST_AGENTS) {
      throw new HumanError(`A role has between 0 and ${MOST_AGENTS} agents, not ${count}.`);
    }
    const { durable } = this.ledger.append({ type: 'pool-scaled', actor, agentType: type, count });
    for (let missing = count - this.staying(type).length; missing > 0; missing--) {
      this.register(type);
    }
    for (const { id, currentTaskId } of this.staying(type).slice(0, -count || undefined)) {
      const reason = `${count === 0 ? 'no' : count} ${type} agent${count === 1 ? '' : 's'} ${count === 1 ? 'is' : 'are'} wanted`;
      if (currentTaskId === undefined) {
        this.dismiss(id, reason);
      } else {
        this.ledger.append({ type: 'agent-draining', actor: RUNTIME, agentId: id, reason });
      }
    }
    await durable;
    await this.ledger.flushed();
    return this.staying(type).map(({ id }) => this.recordOf(id));
  }

  /** Rejects with a HumanError when there is no such agent. */
  // eslint-disable-next-line @typescript-eslint/require-await -- an agent that is not there must reject, not throw
  async getAgentHealth(agentId: string): Promise<HealthStatus> {
    return this.health.statusOf(agentId);
  }

  /** The same, now. Throws a HumanError when there is no such agent. */
  healthOf(agentId: string): HealthStatus {
    return this.health.statusOf(agentId);
  }

  /** Registers in the same turn, for whoever decides on the living state; `runId` is the run that needs it. */
  register(
    type: AgentType,
    config?: Partial<AgentConfig>,
    runId?: string,
  ): { id: string; appended: ReturnType<Ledger['append']> } {
    if (!this.roles[type]) {
      throw new HumanError(`There is no ${type} agent in this version.`);
    }
    const id = `${type}-${(this.ledger.state.standing.agentsMade[type] ?? 0) + 1}`;
    const agent: AgentIdentity = { id, type, ...DEFAULTS[type], name: id, ...config };
    const stamp = { actor: RUNTIME, ...(runId === undefined ? {} : { runId }) };
    return { id, appended: this.ledger.append({ type: 'agent-created', ...stamp, agent }) };
  }

  /** Sends those away who were only to end their task, and have. */
  dismissDrained(): void {
    for (const { id, draining, currentTaskId } of Object.values(this.ledger.state.standing.agents)) {
      if (draining && currentTaskId === undefined) {
        this.dismiss(id, 'it has ended its last task');
      }
    }
  }

  /** Takes an agent out of the team in the same turn, as `destroyAgent` does. */
  release(agentId: string, reason: string): void {
    this.dismiss(agentId, reason);
  }

  /** The running object of a registered agent. */
  runningAgent(agentId: string): Running {
    const known = this.running.get(agentId);
    if (known) {
      return known;
    }
    const record = this.ledger.state.standing.agents[agentId];
    const make = record && this.roles[record.type];
    if (!make) {
      throw new HumanError(`There is no agent ${agentId}.`);
    }
    const { id, type, name, capabilities, specializations } = record;
    const running = make({ id, type, name, capabilities: [...capabilities], specializations: [...specializations] });
    this.running.set(agentId, running);
    return running;
  }

  /** The next start makes a new running object: the old one is not trusted any more. */
  forget(agentId: string): void {
    this.running.delete(agentId);
  }

  private dismiss(agentId: string, reason: string): ReturnType<Ledger['append']> {
    const agent = this.ledger.state.standing.agents[agentId];
    if (!agent) {
      throw new HumanError(`There is no agent ${agentId}.`);
    }
    const task = findTask(this.ledger.state, agent.currentTaskId);
    this.running.delete(agentId);
    return this.ledger.append(
      ...(task ? handBack(this.ledger.state, task, `${agentId} goes: ${reason}.`) : []),
      ...failMailOf(this.ledger.state, agentId),
      { type: 'agent-destroyed', actor: RUNTIME, agentId, reason },
    );
  }

  /** Agents of a role that are to stay, those first whom the team would miss least: in trouble, idle, newest. */
  private staying(type: AgentType): AgentView[] {
    const worth = ({ status, currentTaskId }: AgentView): number =>
      currentTaskId === undefined ? (status === 'error' ? 0 : 1) : 2;
    return Object.values(this.ledger.state.standing.agents)
      .filter((agent) => agent.type === type && !agent.draining)
      .reverse()
      .sort((one, other) => worth(one) - worth(other));
  }

  private recordOf(agentId: string): Agent {
    // A copy of what is in the state, which nobody else holds.
    return structuredClone(this.ledger.state.standing.agents[agentId]) as Agent;
  }
}
