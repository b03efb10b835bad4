/** Makes agents: the registry's record, which lasts, and the object that runs, which a restart makes anew. */
import type { Agent, AgentConfig, AgentIdentity, AgentType } from '../domain/agent.ts';
import { HumanError } from '../domain/errors.ts';
import type { Ledger } from '../ports.ts';

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
  private readonly running = new Map<string, Running>();

  constructor(ledger: Ledger, roles: RoleTable<Running>) {
    this.ledger = ledger;
    this.roles = roles;
  }

  /** Registers an agent. Rejects with a HumanError when nobody can play the role. */
  async createAgent(type: AgentType, config?: AgentConfig): Promise<Agent> {
    const { appended, id } = this.register(type, config);
    await appended.durable;
    // What was just appended is in the state.
    return structuredClone(this.ledger.state.standing.agents[id]) as Agent;
  }

  /** Registers in the same turn, for whoever decides on the living state. */
  register(type: AgentType, config?: AgentConfig): { id: string; appended: ReturnType<Ledger['append']> } {
    if (!this.roles[type]) {
      throw new HumanError(`There is no ${type} agent in this version.`);
    }
    const used = Object.values(this.ledger.state.standing.agents).filter((agent) => agent.type === type).length;
    const id = `${type}-${used + 1}`;
    const agent: AgentIdentity = { id, type, ...DEFAULTS[type], name: id, ...config };
    return {
      id,
      appended: this.ledger.append({ type: 'agent-created', actor: { kind: 'runtime', id: 'runtime' }, agent }),
    };
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
}
