/** What a person may do with the team from any window, and what is known of how it gets on. */
import type { AgentType } from '../domain/agent.ts';
import { PERSON } from '../domain/events.ts';
import type { HealthStatus } from '../domain/health.ts';
import type { Ledger } from '../ports.ts';
import type { AgentFactory } from './agentFactory.ts';

export class TeamControls {
  private readonly ledger: Ledger;
  private readonly factory: Pick<AgentFactory<unknown>, 'scaleAgents' | 'healthOf'>;

  constructor(ledger: Ledger, factory: Pick<AgentFactory<unknown>, 'scaleAgents' | 'healthOf'>) {
    this.ledger = ledger;
    this.factory = factory;
  }

  /** See `AgentFactory.scaleAgents`. */
  async scale(type: AgentType, count: number): Promise<void> {
    await this.factory.scaleAgents(type, count, PERSON);
  }

  /** Of every agent, in the order they were made. */
  health(): HealthStatus[] {
    return Object.keys(this.ledger.state.standing.agents).map((agentId) => this.factory.healthOf(agentId));
  }
}
