/**
 * Keeps agents alive, one for one: notices silence, starts again what crashed, fell silent or went in circles, and gives up
 * in time: then the task goes to somebody else, and a person hears of it. What was seen is an event, and what follows from
 * it another; this file only watches, waits and writes down what `supervision.ts` decides.
 */
import type { Disposable } from '../base/disposable.ts';
import { assertNever } from '../base/assertNever.ts';
import type { BudgetKeeper } from '../budget/budgetKeeper.ts';
import { PERSON, RUNTIME, type Actor, type EventDraft, type EventOf } from '../domain/events.ts';
import type { AgentView, SquadView, TaskView } from '../domain/squadState.ts';
import { stampOf } from '../domain/stamps.ts';
import { remedyFor, type Remedy } from '../domain/supervision.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import type { AgentHealth } from './agentHealth.ts';
import { withdrawRequests } from './handBack.ts';
import { endOfTry } from './triedTask.ts';

const BRING_BACK = 'Bring it back';
const SEND_AWAY = 'Send it away';
/** The clock jumped by more than this while we slept: the machine slept too, and nobody was silent. */
const OVERSLEPT_MS = 30_000;

export interface SupervisorOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: AgentHealth;
  readonly budget: BudgetKeeper;
  /** The running object of an agent is not trusted any more. */
  readonly forget: (agentId: string) => void;
  readonly dismiss: (agentId: string) => Promise<void>;
}

export class AgentSupervisor implements Disposable {
  private readonly o: SupervisorOptions;
  private readonly listening: Disposable;

  constructor(options: SupervisorOptions) {
    this.o = options;
    this.listening = options.ledger.onDidAppend((event) => {
      if (event.type === 'request-answered') {
        // In a turn of its own: the event must have reached everybody first.
        queueMicrotask(() => {
          this.heed(event);
        });
      }
    });
  }

  /** Resolves once the agent has been silent for too long and that stands in the ledger; rejects with the signal's reason. */
  async watch(task: TaskView, signal: AbortSignal): Promise<void> {
    const agentId = task.agentId ?? '';
    const { clock, health } = this.o;
    health.beat(agentId);
    for (;;) {
      signal.throwIfAborted();
      const { leftMs, silentMs } = health.silenceOf(agentId);
      if (leftMs <= 0) {
        const reason = `Nothing was heard of ${this.nameOf(agentId)} for ${Math.round(silentMs / 60_000)} minutes.`;
        const chance = clock.random();
        this.o.ledger.append({
          type: 'agent-silent',
          ...stampOf(task),
          agentId,
          silentMs,
          reason,
          chance,
        });
        return;
      }
      const before = clock.now();
      await clock.sleep(leftMs, signal);
      if (clock.now() - before > leftMs + OVERSLEPT_MS) {
        health.beat(agentId);
      }
    }
  }

  /** The agent's code threw what is nobody else's fault. */
  crashed(task: TaskView, message: string): void {
    const agentId = task.agentId ?? '';
    const reason = `${this.nameOf(agentId)} crashed: ${message}`;
    const chance = this.o.clock.random();
    this.o.ledger.append({ type: 'agent-crashed', ...stampOf(task), agentId, reason, chance });
  }

  /** The agent's conversation goes in circles although it was told so. */
  stuck(task: TaskView, reason: string): void {
    this.o.ledger.append({
      type: 'agent-stuck',
      ...stampOf(task),
      agentId: task.agentId ?? '',
      reason,
    });
  }

  /**
   * Deals with an agent in `error` that has a task. Resolves with `again` when the agent may be started on it, `over` when
   * the task was taken from it. Rejects with the signal's reason, and can then be called again.
   */
  async remedy(task: TaskView, signal: AbortSignal): Promise<'again' | 'over'> {
    const agent = this.o.ledger.state.standing.agents[task.agentId ?? ''];
    if (agent?.status !== 'error' || agent.currentTaskId !== task.id) {
      return 'over';
    }
    const remedy = remedyFor(agent, task);
    switch (remedy.kind) {
      case 'restart':
        await this.restart(agent, task, remedy, signal);
        return 'again';
      case 'give-up':
        this.giveUp(agent, task, remedy);
        return 'over';
      default:
        return assertNever(remedy);
    }
  }

  /** Brings back every agent that was given up: a person wants to try again. */
  recoverAll(actor: Actor): void {
    for (const { id, status, currentTaskId } of Object.values(this.o.ledger.state.standing.agents)) {
      if (status === 'error' && currentTaskId === undefined) {
        this.recover(id, actor);
      }
    }
  }

  dispose(): void {
    this.listening.dispose();
  }

  private async restart(
    agent: AgentView,
    task: TaskView,
    { delayMs, fresh }: Remedy & { kind: 'restart' },
    signal: AbortSignal,
  ): Promise<void> {
    const { ledger, clock, budget, forget } = this.o;
    const { kind: trouble, reason } = agent.trouble ?? { kind: 'crashed', reason: '' };
    const stamp = { ...stampOf(task), agentId: agent.id };
    this.o.logger.warn(`${reason} It is started again${delayMs > 0 ? ` in ${Math.ceil(delayMs / 1000)} s` : ''}.`);
    ledger.append({ type: 'agent-restart-planned', ...stamp, trouble, delayMs, fresh });
    if (delayMs > 0) {
      await clock.sleep(delayMs, signal);
    }
    signal.throwIfAborted();
    budget.settleInterrupted(task.runId, task.id);
    forget(agent.id);
    ledger.append({ type: 'agent-restarted', ...stamp, fresh, reason });
  }

  private giveUp(agent: AgentView, task: TaskView, { reason, blames }: Remedy & { kind: 'give-up' }): void {
    const { ledger, logger, budget, forget } = this.o;
    logger.warn(reason);
    budget.settleInterrupted(task.runId, task.id);
    forget(agent.id);
    ledger.append(
      ...withdrawRequests(ledger.state, task, reason),
      endOfTry(task, reason),
      ...(blames ? escalation(agent, task, reason) : []),
    );
  }

  /** What the person decided about an agent that was given up. */
  private heed({ requestId, answer }: EventOf<'request-answered'>): void {
    const { ledger, logger } = this.o;
    const agent = Object.values(ledger.state.standing.agents).find(
      ({ id, restarts, status }) => status === 'error' && escalationId(id, restarts) === requestId,
    );
    if (!agent || !ledger.isOpen || answer.kind !== 'text') {
      return;
    }
    if (answer.text === BRING_BACK) {
      this.recover(agent.id, PERSON);
    } else if (answer.text === SEND_AWAY) {
      this.o.dismiss(agent.id).catch((error: unknown) => {
        logger.error(`${agent.id} could not be sent away`, error);
      });
    }
  }

  private recover(agentId: string, actor: Actor): void {
    const { ledger } = this.o;
    const restarts = ledger.state.standing.agents[agentId]?.restarts ?? 0;
    ledger.append(...openEscalation(ledger.state, escalationId(agentId, restarts)), {
      type: 'agent-recovered',
      actor,
      agentId,
    });
  }

  private nameOf(agentId: string): string {
    return this.o.ledger.state.standing.agents[agentId]?.name ?? agentId;
  }
}

/** The person hears of it, and decides about the agent; the run does not wait for the answer. */
function escalation(agent: AgentView, task: TaskView, reason: string): EventDraft[] {
  const { id: agentId, restarts } = agent;
  return [
    { type: 'agent-given-up', ...stampOf(task), agentId, reason },
    {
      type: 'request-opened',
      runId: task.runId,
      actor: RUNTIME,
      request: {
        id: escalationId(agentId, restarts),
        runId: task.runId,
        agentId,
        subject: {
          kind: 'question',
          question: `${reason} Its task “${task.title}” was taken from it. What shall become of ${agent.name}?`,
          options: [BRING_BACK, SEND_AWAY],
        },
      },
    },
  ];
}

const escalationId = (agentId: string, restarts: number): string => `agent/${agentId}/${restarts}`;

function openEscalation(state: SquadView, requestId: string): EventDraft[] {
  return Object.values(state.runs)
    .filter(({ requests }) => requests[requestId] && !requests[requestId].answer)
    .map(({ id: runId }) => ({
      type: 'request-withdrawn',
      runId,
      actor: RUNTIME,
      requestId,
      reason: 'The agent is back already.',
    }));
}
