/**
 * Reserves what a model call may cost before it is made, and settles it after. The check and the reservation stand in
 * one synchronous block, so agents that ask at once can never exceed the cap together.
 */
import { describeRefusal, refuseCall, type Usage } from '../domain/budget.ts';
import type { ModelAnswer } from '../domain/conversation.ts';
import { HumanError } from '../domain/errors.ts';
import { isCurrent, requireCurrent } from '../domain/task.ts';
import type { Ledger } from '../ports.ts';

/** The run's budget does not allow the next call. The run ends with what it has. */
export class BudgetReachedError extends HumanError {
  override name = 'BudgetReachedError';
}

export interface CallOwner {
  readonly runId: string;
  readonly taskId: string;
  readonly agentId: string;
  readonly attempt: number;
  readonly restarts: number;
}

export class BudgetKeeper {
  private readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Answers the call's id, or throws BudgetReachedError after the refusal is in the ledger. */
  reserve(owner: CallOwner, model: string, tokens: number): string {
    const run = this.ledger.state.runs[owner.runId];
    if (!run) {
      throw new Error(`No run ${owner.runId}`);
    }
    const refusal = refuseCall(run.options.budget, run.account, tokens);
    if (refusal) {
      const message = describeRefusal(refusal);
      this.ledger.append({
        type: 'budget-reached',
        ...stamp(owner),
        actor: { kind: 'runtime', id: 'runtime' },
        resource: refusal.resource,
        message,
      });
      throw new BudgetReachedError(message);
    }
    const callId = `${owner.runId}/call-${run.counters.call + 1}`;
    this.ledger.append({ type: 'model-call-started', ...stamp(owner), callId, model, reservedTokens: tokens });
    return callId;
  }

  /** Rejects with SupersededError, and counts what it cost, when the agent was started anew meanwhile. */
  async settle(owner: CallOwner, callId: string, model: string, answer: ModelAnswer, usage: Usage): Promise<void> {
    const task = this.ledger.state.runs[owner.runId]?.tasks[owner.taskId];
    if (!isCurrent(task, owner)) {
      this.release(owner, callId, { kind: 'superseded', message: 'The answer came too late to count.' }, usage);
    }
    requireCurrent(task, owner);
    await this.ledger.append({ type: 'model-call-ended', ...stamp(owner), callId, model, answer, usage }).durable;
  }

  /** A call that failed or was cut: what it cost is not known better than `usage`. Once settled it stays so. */
  release(owner: CallOwner, callId: string, failure: { kind: string; message: string }, usage: Usage): void {
    if (!this.ledger.state.runs[owner.runId]?.reservations[callId]) {
      return;
    }
    this.ledger.append({ type: 'model-call-failed', ...stamp(owner), callId, ...failure, usage });
  }

  /** Calls that a crash interrupted are settled in full as assumed: nothing stays reserved for ever. Of one task, or all. */
  settleInterrupted(runId: string, only?: string): void {
    const run = this.ledger.state.runs[runId];
    for (const [callId, { taskId, tokens }] of Object.entries(run?.reservations ?? {})) {
      if (only !== undefined && taskId !== only) {
        continue;
      }
      const task = run?.tasks[taskId];
      this.release(
        { runId, taskId, agentId: task?.agentId ?? 'runtime', attempt: task?.attempt ?? 1, restarts: 0 },
        callId,
        { kind: 'interrupted', message: 'The host ended while the call was under way.' },
        { inputTokens: tokens, outputTokens: 0, source: 'assumed' },
      );
    }
  }
}

function stamp({ runId, taskId, agentId, attempt }: CallOwner) {
  return { runId, taskId, attempt, actor: { kind: 'agent' as const, id: agentId } };
}
