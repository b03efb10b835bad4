/**
 * How far one agent may go on one try of a task, and a run as a whole, before somebody looks: one schema, its defaults,
 * and for each limit the sentence that says it was hit. What a run may spend in all stands beside it, in `budget.ts`.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { UsageError } from './errors.ts';

export const limitsSchema = z.strictObject({
  /** Of one agent on one try of a task. */
  agentTokens: z.number().int().positive(),
  agentModelCalls: z.number().int().positive(),
  agentMessages: z.number().int().min(0),
  /** Time at work; waiting for a person and a paused run do not count. */
  agentMinutes: z.number().positive(),
  /** Messages of a run, whoever sent them. */
  messages: z.number().int().min(0),
  /** 1: the tasks of the plan may delegate, what they delegated may not. 0: nobody delegates. */
  delegationDepth: z.number().int().min(0).max(10),
  /** Agents of one role that live at once; how many of all roles work at once is the run's `maxAgents`. */
  agentsPerRole: z.number().int().positive().max(32),
});
export type Limits = z.infer<typeof limitsSchema>;

/** What a run's options say otherwise than the defaults. */
export const limitChoiceSchema = limitsSchema.partial();
export type LimitChoice = z.infer<typeof limitChoiceSchema>;

export const DEFAULT_LIMITS: Limits = {
  agentTokens: 2_000_000,
  agentModelCalls: 80,
  agentMessages: 100,
  agentMinutes: 120,
  messages: 5_000,
  delegationDepth: 3,
  agentsPerRole: 16,
};

/** The limits of a run: the defaults, and what its options say otherwise. */
export function limitsOf({ limits = {} }: DeepReadonly<{ limits?: LimitChoice | undefined }>): Limits {
  const given = Object.entries(limits).filter(([, limit]) => limit !== undefined);
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(given) };
}

/** Limits as a person writes them, `agentMessages=5`; throws a sentence that says what does not fit. */
export function parseLimits(texts: readonly string[]): LimitChoice {
  const given = texts.map((text) => {
    const [name = '', value = ''] = text.split('=');
    return [name.trim(), value.trim() === '' ? undefined : Number(value)] as const;
  });
  const parsed = limitChoiceSchema.safeParse(Object.fromEntries(given));
  if (!parsed.success || given.some(([, value]) => value === undefined)) {
    throw new UsageError(
      `A limit is NAME=NUMBER, with a name of ${Object.keys(DEFAULT_LIMITS).join(', ')}.${parsed.success ? '' : `\n${z.prettifyError(parsed.error)}`}`,
    );
  }
  return parsed.data;
}

/** What an agent has spent on one try of a task. */
export interface Spent {
  tokens: number;
  modelCalls: number;
  messages: number;
  workedMs: number;
}

export const nothingSpent = (): Spent => ({ tokens: 0, modelCalls: 0, messages: 0, workedMs: 0 });

export const sumOf = (one: DeepReadonly<Spent>, other: DeepReadonly<Spent>): Spent => ({
  tokens: one.tokens + other.tokens,
  modelCalls: one.modelCalls + other.modelCalls,
  messages: one.messages + other.messages,
  workedMs: one.workedMs + other.workedMs,
});

/** Why an agent may not ask its model again on this try; undefined when it may. For people, and for the next try. */
export function refuseTurn(limits: Limits, spent: DeepReadonly<Spent>): string | undefined {
  if (spent.tokens >= limits.agentTokens) {
    return `The agent spent ${spent.tokens} tokens on this try; ${limits.agentTokens} is the limit for one agent and task.`;
  }
  if (spent.modelCalls >= limits.agentModelCalls) {
    return `The agent asked its model ${spent.modelCalls} times on this try; ${limits.agentModelCalls} is the limit for one agent and task.`;
  }
  if (spent.workedMs >= limits.agentMinutes * 60_000) {
    return `The agent worked ${Math.floor(spent.workedMs / 60_000)} minutes on this try; ${limits.agentMinutes} is the limit for one agent and task.`;
  }
  return undefined;
}

/** Why an agent may not send `count` more messages; undefined when it may. For a model: it says what to do instead. */
export function refuseMessages(
  limits: Limits,
  sent: { readonly byAgent: number; readonly inRun: number },
  count: number,
): string | undefined {
  if (sent.byAgent + count > limits.agentMessages) {
    return `You have sent ${sent.byAgent} messages on this task, and ${limits.agentMessages} is the limit. Go on without writing; put what others must know into the summary of finish_task.`;
  }
  if (sent.inRun + count > limits.messages) {
    return `The team has sent ${sent.inRun} messages in this run, and ${limits.messages} is the limit. Go on without writing; put what others must know into the summary of finish_task.`;
  }
  return undefined;
}

/** Why a task at `depth` (0 for a task of the plan) may not delegate; undefined when it may. For a model. */
export function refuseDelegation(limits: Limits, depth: number): string | undefined {
  return depth + 1 > limits.delegationDepth
    ? `This task stands ${depth} levels below the plan, and work may be handed on ${limits.delegationDepth} levels deep. Do it yourself.`
    : undefined;
}
