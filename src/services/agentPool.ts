/**
 * As many agents of a role as its queue asks for: one is made when a task is ready and nobody is free, and let go when
 * nobody needed it for a while. A number that a person chose stands instead.
 */
import type { Disposable } from '../base/disposable.ts';
import { RUNTIME } from '../domain/events.ts';
import { limitsOf } from '../domain/limits.ts';
import type { AgentView, RunView, TaskView } from '../domain/squadState.ts';
import type { Clock, Ledger } from '../ports.ts';
import type { TaskDelegationService } from './taskDelegationService.ts';

/** An agent without a task for so long goes; the oldest of each role stays, with what it has learned. */
export const IDLE_MS = 600_000;

/** What the pool needs of the factory. */
export interface Makers {
  register(type: AgentView['type'], config: object, runId: string): unknown;
  release(agentId: string, reason: string): void;
}

export class AgentPool implements Disposable {
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly factory: Makers;
  private readonly delegation: TaskDelegationService;
  private readonly timers = new Map<string, AbortController>();
  private readonly listening: Disposable;

  constructor(options: { ledger: Ledger; clock: Clock; factory: Makers; delegation: TaskDelegationService }) {
    this.ledger = options.ledger;
    this.clock = options.clock;
    this.factory = options.factory;
    this.delegation = options.delegation;
    this.listening = options.ledger.onDidAppend(({ type }) => {
      if (type.startsWith('task-') || type.startsWith('agent-')) {
        this.lookAtIdle();
      }
    });
    this.lookAtIdle();
  }

  /** Gives a ready task to whoever is free, or to somebody new; it waits when there are as many as there may be. */
  staff(run: RunView, task: TaskView): void {
    if (!this.delegation.delegate(task) && this.mayGrow(run, task.role)) {
      this.factory.register(task.role, {}, run.id);
      this.delegation.delegate(task);
    }
  }

  dispose(): void {
    this.listening.dispose();
    for (const timer of this.timers.values()) {
      timer.abort(new Error('The squad closes.'));
    }
    this.timers.clear();
  }

  private mayGrow(run: RunView, role: AgentView['type']): boolean {
    const most = this.ledger.state.standing.poolSizes[role] ?? limitsOf(run.options).agentsPerRole;
    // Whoever is in trouble or about to go is replaced.
    return this.ofRole(role).filter(({ status, draining }) => status !== 'error' && !draining).length < most;
  }

  /** One timer for each agent that could go. */
  private lookAtIdle(): void {
    const { agents } = this.ledger.state.standing;
    for (const [agentId, timer] of this.timers) {
      if (agents[agentId]?.status !== 'idle') {
        this.timers.delete(agentId);
        timer.abort(new Error('It is needed, or gone.'));
      }
    }
    for (const agent of Object.values(agents)) {
      if (agent.status === 'idle' && !this.timers.has(agent.id)) {
        const timer = new AbortController();
        this.timers.set(agent.id, timer);
        // Called off when it is needed before.
        void this.letGoLater(agent, timer.signal).catch(() => undefined);
      }
    }
  }

  private async letGoLater({ id, lastActiveAt }: AgentView, signal: AbortSignal): Promise<void> {
    const idleMs = this.clock.now() - Date.parse(lastActiveAt);
    await this.clock.sleep(Math.max(0, IDLE_MS - idleMs), signal);
    const agent = this.ledger.state.standing.agents[id];
    if (agent?.status !== 'idle' || signal.aborted || !this.ledger.isOpen || !this.isSpare(agent)) {
      return;
    }
    this.ledger.append({ type: 'agent-idled', actor: RUNTIME, agentId: id, idleMs: IDLE_MS });
    this.factory.release(id, `nobody needed it for ${IDLE_MS / 60_000} minutes`);
  }

  private isSpare({ id, type }: AgentView): boolean {
    const [oldest] = this.ofRole(type);
    return this.ledger.state.standing.poolSizes[type] === undefined && oldest?.id !== id;
  }

  /** In the order they were made. */
  private ofRole(role: AgentView['type']): AgentView[] {
    return Object.values(this.ledger.state.standing.agents).filter(({ type }) => type === role);
  }
}
