/** One model call on behalf of a task: reserve, ask, count, settle; the answer is durable before any tool of it runs. */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { Emitter } from '../base/emitter.ts';
import type { BudgetKeeper } from '../budget/budgetKeeper.ts';
import type { CallCost, Usage } from '../domain/budget.ts';
import type { ConversationEntry, ModelAnswer } from '../domain/conversation.ts';
import { HumanError, messageOf, ModelError, type ModelFailureKind } from '../domain/errors.ts';
import { costOf, priceFor } from '../domain/prices.ts';
import { isSameModel, modelOfRole, type RunOptions } from '../domain/run.ts';
import type { Signal } from '../domain/signals.ts';
import { taskAt } from '../domain/squadState.ts';
import type { AgentAtWork } from '../domain/task.ts';
import type { CallListener, ModelGateway } from '../llm/modelGateway.ts';
import type { LanguageModel, LanguageModels, Ledger, ModelReply, ModelRequest } from '../ports.ts';
import { canBeShorter, fitInto } from './contextWindow.ts';
import { declare } from '../tools/toolCatalogue.ts';
import type { Tool } from '../tools/tool.ts';

const MAX_OUTPUT_TOKENS = 8000;

/** What is left of a conversation that was too long though it was counted. */
const SHORTER = 0.6;

interface Choice {
  readonly choice: DeepReadonly<RunOptions['model']>;
  readonly mayWait: boolean;
}

export interface TurnWork extends AgentAtWork {
  readonly tools: readonly Tool[];
}

export class ModelTurn {
  private readonly ledger: Ledger;
  private readonly models: LanguageModels;
  private readonly gateway: ModelGateway;
  private readonly budget: BudgetKeeper;
  private readonly signals: Emitter<Signal>;

  constructor(options: {
    ledger: Ledger;
    models: LanguageModels;
    gateway: ModelGateway;
    budget: BudgetKeeper;
    signals: Emitter<Signal>;
  }) {
    this.ledger = options.ledger;
    this.models = options.models;
    this.gateway = options.gateway;
    this.budget = options.budget;
    this.signals = options.signals;
  }

  /**
   * Resolves once the answer is durable, or without having asked when there is news by then: what the model would be told
   * is out of date. Rejects with ModelError, BudgetReachedError or the signal's reason.
   */
  async take(
    work: TurnWork,
    conversation: readonly ConversationEntry[],
    hasNews: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { run, task } = taskAt(this.ledger.state, work);
    const { fallback } = run.options;
    const model = modelOfRole(run.options, task.role);
    const ask = (choice: Choice): Promise<void> => this.askOnceMore(work, conversation, choice, hasNews, signal);
    if (!fallback || isSameModel(model, fallback)) {
      return ask({ choice: model, mayWait: true });
    }
    try {
      await ask({ choice: model, mayWait: false });
    } catch (error) {
      if (!(error instanceof ModelError) || !GIVES_WAY.has(error.kind)) {
        throw error;
      }
      await ask({ choice: fallback, mayWait: true });
    }
  }

  /** A provider may take less than it said, or count otherwise: then the same is told once more, where it can be shorter. */
  private async askOnceMore(
    work: TurnWork,
    conversation: readonly ConversationEntry[],
    choice: Choice,
    hasNews: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const counted = { tokens: 0 };
    try {
      await this.askModel(work, conversation, { ...choice, counted }, hasNews, signal);
    } catch (error) {
      if (!(error instanceof ModelError) || error.kind !== 'context-overflow' || !canBeShorter(conversation)) {
        throw error;
      }
      const atMost = Math.floor(counted.tokens * SHORTER);
      await this.askModel(work, conversation, { ...choice, counted, atMost }, hasNews, signal);
    }
  }

  private async askModel(
    work: TurnWork,
    conversation: readonly ConversationEntry[],
    { choice, mayWait, counted, atMost = Infinity }: Choice & { counted: { tokens: number }; atMost?: number },
    hasNews: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { run, task } = taskAt(this.ledger.state, work);
    const { runId, taskId, agentId } = work;
    const purpose = { role: task.role, agentId, taskId, taskKey: task.key };
    const model = await this.models.select(choice, signal, purpose).catch((error: unknown) => {
      // Models of an editor come and go.
      throw error instanceof HumanError && !mayWait
        ? new ModelError('not-found', error.message, { isFinal: true, cause: error })
        : error;
    });
    const maxOutputTokens = Math.min(MAX_OUTPUT_TOKENS, model.maxOutputTokens);
    const tools = work.tools.map((tool) => declare(tool));
    const fitted = await fitInto(conversation, Math.min(model.maxInputTokens, atMost), (entries) =>
      model.countTokens(JSON.stringify([entries, tools])),
    );
    const { tokens: inputTokens, leftOut } = fitted;
    counted.tokens = inputTokens;
    const request: ModelRequest = { purpose, conversation: fitted.conversation, tools, maxOutputTokens };
    const price = priceFor(run.options, choice.door, model.id);
    const priced = <Tokens extends { inputTokens: number; outputTokens: number }>(tokens: Tokens) =>
      price ? { ...tokens, microUsd: costOf(price, tokens) } : tokens;
    const cost: CallCost = priced({ model: model.id, inputTokens, outputTokens: maxOutputTokens });
    const callId = await this.budget.reserve(work, cost, {
      // In one turn with the reservation, so that the order of the ledger tells what was seen.
      mayBegin: () => !hasNews(),
      leftOut,
      onWait: () => {
        this.signals.fire({ type: 'call-waits', runId, taskId, agentId });
      },
      signal,
    });
    if (callId === undefined) {
      return;
    }
    const listener: CallListener = {
      onText: (text) => {
        this.signals.fire({ type: 'text-delta', runId, taskId, agentId, text });
      },
      onParked: (untilMs, reason) => {
        if (!mayWait) {
          throw new ModelError('unreachable', `${model.label} cannot answer soon: ${reason}`, { isFinal: true });
        }
        this.budget.park(work, callId, new Date(untilMs).toISOString(), reason);
        this.signals.fire({ type: 'call-waits', runId, taskId, agentId });
      },
    };
    this.signals.fire({ type: 'call-waits', runId, taskId, agentId });
    let reply: ModelReply;
    try {
      reply = await this.gateway.ask(model, request, listener, signal);
    } catch (error) {
      // What an unanswered call cost nobody says: its whole prompt is assumed.
      const usage: Usage = priced({ inputTokens, outputTokens: 0, source: 'assumed' as const });
      const kind = error instanceof ModelError ? error.kind : signal.aborted ? 'cancelled' : 'failed';
      this.budget.release(work, callId, { kind, message: messageOf(error) }, usage);
      throw error;
    }
    const usage: Usage = priced(
      reply.usage
        ? { ...reply.usage, source: 'provider' as const }
        : {
            inputTokens,
            outputTokens: await countAnswer(model, reply.answer, maxOutputTokens),
            source: 'counted' as const,
          },
    );
    await this.budget.settle(work, callId, model.id, withUniqueIds(reply.answer), usage);
  }
}

/** Failures that another model need not have. */
const GIVES_WAY: ReadonlySet<ModelFailureKind> = new Set([
  ...(['unreachable', 'rate-limit', 'server', 'stalled', 'timeout', 'malformed'] as const),
  ...(['quota', 'authentication', 'not-found'] as const),
]);

/** One that was cut short has used all that it was given, and perhaps what we have of it is less. */
async function countAnswer(model: LanguageModel, answer: ModelAnswer, most: number): Promise<number> {
  if (answer.finishReason === 'length') {
    return most;
  }
  return model.countTokens(answer.text + JSON.stringify(answer.toolCalls));
}

/** Results are matched to calls by id; a model that uses one twice would get them mixed up. */
function withUniqueIds(answer: ModelAnswer): ModelAnswer {
  const seen = new Set<string>();
  const toolCalls = answer.toolCalls.map((call, index) => {
    const id = call.id === '' || seen.has(call.id) ? `${call.id || 'call'}-${index + 1}` : call.id;
    seen.add(id);
    return { ...call, id };
  });
  return { ...answer, toolCalls };
}
