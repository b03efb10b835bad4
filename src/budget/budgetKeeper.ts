/**
 * Reserves what a model call may cost before it is made, and settles it after. The check and the reservation stand in
 * one synchronous block, so agents that ask at once can never exceed the cap together.
 */
import { describeRefusal, refuseCall, type Usage } from '../domain/budget.ts';
import type { ModelAnswer } from '../domain/conversation.ts';
import { HumanError } from '../domain/errors.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { isCurrent, requireCurrent, type AgentAtWork } from '../domain/task.ts';
import type { Ledger } from '../ports.ts';

/** The run's budget does not allow the next call. The run ends with what it has. */
export class BudgetReachedError extends HumanError {
  override name = 'BudgetReachedError';
}

export class BudgetKeeper {
  private readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Answers the call's id, or throws BudgetReachedError after the refusal is in the ledger. */
  reserve(owner: AgentAtWork, model: string, tokens: number): string {
    const run = this.ledger.state.runs[owner.runId];
    if (!run) {
      throw new Error(`No run ${owner.runId}`);
    }
    const refusal = refuseCall(run.options.budget, run.account, tokens);
    if (refusal) {
      const message = describeRefusal(refusal);
      this.ledger.append({
        type: 'budget-reached',
        ...stampOfStart(owner),
        resource: refusal.resource,
        message,
      });
      throw new BudgetReachedError(message);
    }
    const callId = `${owner.runId}/call-${run.counters.call + 1}`;
    this.ledger.append({ type: 'model-call-started', ...stampByAgent(owner), callId, model, reservedTokens: tokens });
    return callId;
  }

  /** Rejects with SupersededError, and counts what it cost, when the agent was started anew meanwhile. */
  async settle(owner: AgentAtWork, callId: string, model: string, answer: ModelAnswer, usage: Usage): Promise<void> {
    const task = this.ledger.state.runs[owner.runId]?.tasks[owner.taskId];
    if (!isCurrent(task, owner)) {
      this.release(owner, callId, { kind: 'superseded', message: 'The answer came too late to count.' }, usage);
    }
    requireCurrent(task, owner);
    await this.ledger.append({ type: 'model-call-ended', ...stampByAgent(owner), callId, model, answer, usage })
      .durable;
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
  }

  /** Calls that a crash interrupted are settled in full as assumed: nothing stays reserved for ever. Of one task, or all. */
  settleInterrupted(runId: string, only?: string): void {
    const run = this.ledger.state.runs[runId];
    for (const [callId, { taskId, tokens }] of Object.entries(run?.reservations ?? {})) {
      if (only !== undefined && taskId !== only) {
        continue;
      }
      const { agentId = 'runtime', attempt = 1, restarts = 0 } = run?.tasks[taskId] ?? {};
      this.release(
        { runId, taskId, agentId, attempt, restarts },
        callId,
        { kind: 'interrupted', message: 'The host ended while the call was under way.' },
        { inputTokens: tokens, outputTokens: 0, source: 'assumed' },
      );
    }
  }
}
