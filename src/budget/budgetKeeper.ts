/**
 * Reserves what a model call may cost before it is made, and settles it after. The check and the reservation stand in
 * one synchronous block, so agents that ask at once can never exceed a limit together. Who waits here holds no
 * reservation, so nobody waits for somebody who waits.
 */
import {
  budgetResourceSchema,
  describeAmount,
  describeRefusal,
  limitOf,
  mayFitLater,
  raisedLimit,
  usedOf,
  type CallCost,
  type Usage,
} from '../domain/budget.ts';
import { drawerOf, warningKey } from '../domain/budgetState.ts';
import type { ModelAnswer } from '../domain/conversation.ts';
import { envelopesOf, refuseIn, type Envelope, type EnvelopeRefusal } from '../domain/envelopes.ts';
import { HumanError } from '../domain/errors.ts';
import { openRequests } from '../domain/requestState.ts';
import { taskAt, type RunView } from '../domain/squadState.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { isCurrent, requireCurrent, type AgentAtWork } from '../domain/task.ts';
import { pausePoint } from '../inbox/pausePoint.ts';
import { untilState } from '../inbox/untilState.ts';
import type { Clock, Ledger } from '../ports.ts';

/** The run's budget does not allow the next call. The run ends with what it has. */
export class BudgetReachedError extends HumanError {
  override name = 'BudgetReachedError';
}

export interface Waiting {
  /** Looked at in the turn of the reservation; false makes `reserve` answer undefined. */
  readonly mayBegin: () => boolean;
  /** The call stands still for now, for no fault of the agent. */
  readonly onWait: () => void;
  /** Entries of the conversation of which something was left out, so that it fits. */
  readonly leftOut?: number;
  readonly signal: AbortSignal;
}

/** From which share of a limit on it is warned of, where the run's options say nothing. */
const WARN_AT_PERCENT = 80;

export class BudgetKeeper {
  private readonly ledger: Ledger;
  private readonly clock: Pick<Clock, 'now'>;

  constructor(ledger: Ledger, clock: Pick<Clock, 'now'>) {
    this.ledger = ledger;
    this.clock = clock;
  }

  /**
   * Answers the call's id once it fits, or undefined when it may not begin any more. It waits while its run is paused,
   * while calls under way may still give something back, and, where a person is there, for them to raise the limit.
   * Otherwise throws BudgetReachedError after the refusal is in the ledger. Rejects with the signal's reason.
   */
  async reserve(
    owner: AgentAtWork,
    cost: CallCost,
    { mayBegin, onWait, leftOut = 0, signal }: Waiting,
  ): Promise<string | undefined> {
    for (;;) {
      await pausePoint(this.ledger, owner.runId, signal);
      const { run, task } = taskAt(this.ledger.state, owner);
      requireCurrent(task, owner);
      const refusal = this.refusalOf(owner, cost);
      if (refusal) {
        onWait();
        await this.stand(owner, cost, refusal, signal);
        continue;
      }
      this.withdrawRaise(owner);
      if (task.heldBy !== undefined) {
        this.ledger.append({ type: 'model-call-freed', ...stampByAgent(owner) });
      }
      if (!mayBegin()) {
        return undefined;
      }
      const { model, inputTokens, outputTokens, microUsd } = cost;
      const callId = `${owner.runId}/call-${run.counters.call + 1}`;
      this.ledger.append({
        type: 'model-call-started',
        ...stampByAgent(owner),
        callId,
        model,
        reservedTokens: inputTokens + outputTokens,
        reservedOutputTokens: outputTokens,
        ...(microUsd === undefined ? {} : { reservedMicroUsd: microUsd }),
        ...(leftOut > 0 ? { leftOut } : {}),
      });
      this.warn(owner);
      return callId;
    }
  }

  /** Stands still for as long as the refusal has a remedy; throws where it has none. */
  private async stand(
    owner: AgentAtWork,
    cost: CallCost,
    refusal: EnvelopeRefusal,
    signal: AbortSignal,
  ): Promise<void> {
    if (mayFitLater(refusal)) {
      this.ledger.append({ type: 'model-call-held', ...stampByAgent(owner), cost });
      const waits = (): boolean => {
        const now = this.refusalOf(owner, cost);
        return now !== undefined && mayFitLater(now);
      };
      await untilState(this.ledger, () => !waits(), signal);
      return;
    }
    const openedBefore = taskAt(this.ledger.state, owner).run.counters.request;
    const requestId = this.raiseFor(owner, cost, refusal);
    if (requestId === undefined) {
      this.refuse(owner, cost, refusal);
    }
    // Also when it waited already before a restart: in this order they go on.
    if (taskAt(this.ledger.state, owner).run.counters.request === openedBefore) {
      this.ledger.append({ type: 'model-call-held', ...stampByAgent(owner), cost, requestId });
    }
    await untilState(
      this.ledger,
      () => this.ledger.state.runs[owner.runId]?.requests[requestId]?.answer !== undefined,
      signal,
    );
  }

  /** The open request that can help, made where there is none; undefined where nothing can. One for all who wait. */
  private raiseFor(owner: AgentAtWork, cost: CallCost, refusal: EnvelopeRefusal): string | undefined {
    const { run } = taskAt(this.ledger.state, owner);
    const { envelope, resource, limit, used, needed } = refusal;
    const asked = Object.values(run.requests).filter(
      ({ subject }) =>
        subject.kind === 'raise' &&
        subject.envelope === envelope.key &&
        subject.resource === resource &&
        subject.limit === limit,
    );
    // One that was only withdrawn, with its task, was answered by nobody.
    const isRefused = asked.some(({ answer, door }) => answer?.kind === 'deny' && door !== undefined);
    if (!run.options.asksToRaise || refusal.unpricedModel !== undefined || isRefused) {
      return undefined;
    }
    const open = asked.find(({ answer }) => !answer);
    if (open) {
      return open.id;
    }
    const id = `${owner.runId}.raise-${run.counters.request + 1}`;
    const to = raisedLimit(refusal, resource);
    this.ledger.append({
      type: 'request-opened',
      ...stampByAgent(owner),
      request: {
        id,
        runId: owner.runId,
        taskId: owner.taskId,
        agentId: owner.agentId,
        subject: {
          kind: 'raise',
          envelope: envelope.key,
          of: envelope.of,
          resource,
          limit,
          to,
          used,
          needed,
          cost,
          isProtected: true,
        },
      },
    });
    return id;
  }

  /** What it asked for before a restart, and needs no more: another prompt is shorter. Whoever else waits for it asks anew. */
  private withdrawRaise(owner: AgentAtWork): void {
    for (const { id, taskId, subject } of openRequests(taskAt(this.ledger.state, owner).run)) {
      if (subject.kind === 'raise' && taskId === owner.taskId) {
        const reason = 'The next call fits into the budget as it is.';
        this.ledger.append({ type: 'request-withdrawn', ...stampOfStart(owner), requestId: id, reason });
      }
    }
  }

  private refuse(owner: AgentAtWork, cost: CallCost, refusal: EnvelopeRefusal): never {
    const { envelope, resource } = refusal;
    const message = describeRefusal(refusal, envelope.of);
    this.ledger.append({
      type: 'budget-reached',
      ...stampOfStart(owner),
      resource,
      message,
      envelope: envelope.key,
      cost,
    });
    throw new BudgetReachedError(message);
  }

  /** Says once of each limit that it is nearly used up. */
  private warn(owner: Omit<AgentAtWork, 'agentId'>): void {
    const { run } = taskAt(this.ledger.state, owner);
    const percent = run.options.warnAtPercent ?? WARN_AT_PERCENT;
    for (const { key, of, limits, account } of percent < 100 ? this.envelopesOf(run, owner.taskId) : []) {
      for (const resource of budgetResourceSchema.options) {
        const [used, limit] = [usedOf(account, resource), limitOf(limits, resource)];
        if (limit === undefined || used * 100 < limit * percent) {
          continue;
        }
        if (run.warned.includes(warningKey({ envelope: key, resource }))) {
          continue;
        }
        const share = Math.floor((100 * used) / limit);
        const message = `${share} % of ${of} budget is used: ${describeAmount(resource, used)} of ${describeAmount(resource, limit)}.`;
        this.ledger.append({
          type: 'budget-warned',
          ...stampOfStart(owner),
          envelope: key,
          resource,
          used,
          limit,
          message,
        });
      }
    }
  }

  private refusalOf({ runId, taskId }: AgentAtWork, cost: CallCost): EnvelopeRefusal | undefined {
    const { run } = taskAt(this.ledger.state, { runId, taskId });
    return refuseIn(this.envelopesOf(run, taskId), cost);
  }

  private envelopesOf(run: RunView, taskId: string): Envelope[] {
    const { task } = taskAt(this.ledger.state, { runId: run.id, taskId });
    const now = new Date(this.clock.now()).toISOString();
    return envelopesOf(run, this.ledger.state.standing.days, drawerOf(task, now));
  }

  /** Rejects with SupersededError, and counts what it cost, when the agent was started anew meanwhile. */
  async settle(owner: AgentAtWork, callId: string, model: string, answer: ModelAnswer, usage: Usage): Promise<void> {
    const task = this.ledger.state.runs[owner.runId]?.tasks[owner.taskId];
    if (!isCurrent(task, owner)) {
      this.release(owner, callId, { kind: 'superseded', message: 'The answer came too late to count.' }, usage);
    }
    requireCurrent(task, owner);
    const ended = this.ledger.append({
      type: 'model-call-ended',
      ...stampByAgent(owner),
      callId,
      model,
      answer,
      usage,
    });
    this.warn(owner);
    await ended.durable;
  }

  /** A call that stands still until `until` (ISO 8601) and goes on by itself; what it may cost stays reserved. */
  park(owner: AgentAtWork, callId: string, until: string, reason: string): void {
    const task = this.ledger.state.runs[owner.runId]?.tasks[owner.taskId];
    if (isCurrent(task, owner) && this.ledger.isOpen && task?.parked?.until !== until) {
      this.ledger.append({ type: 'model-call-parked', ...stampByAgent(owner), callId, until, reason });
    }
  }

  /** A call that failed or was cut: what it cost is not known better than `usage`. Once settled it stays so. */
  release(owner: AgentAtWork, callId: string, failure: { kind: string; message: string }, usage: Usage): void {
    if (!this.ledger.state.runs[owner.runId]?.reservations[callId]) {
      return;
    }
    this.ledger.append({ type: 'model-call-failed', ...stampByAgent(owner), callId, ...failure, usage });
    this.warn(owner);
  }

  /** Calls that a crash interrupted are settled in full as assumed: nothing stays reserved for ever. Of one task, or all. */
  settleInterrupted(runId: string, only?: string): void {
    const run = this.ledger.state.runs[runId];
    for (const [callId, { taskId, tokens, microUsd }] of Object.entries(run?.reservations ?? {})) {
      if (only !== undefined && taskId !== only) {
        continue;
      }
      const { agentId = 'runtime', attempt = 1, restarts = 0 } = run?.tasks[taskId] ?? {};
      this.release(
        { runId, taskId, agentId, attempt, restarts },
        callId,
        { kind: 'interrupted', message: 'The host ended while the call was under way.' },
        { inputTokens: tokens, outputTokens: 0, source: 'assumed', ...(microUsd === undefined ? {} : { microUsd }) },
      );
    }
  }
}
