/**
 * How far one agent may go on one try of a task, and a run as a whole, before somebody looks: one schema, its defaults,
 * and for each limit the sentence that says it was hit. What a run may spend in all stands beside it, in `budget.ts`.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { messageOf, UsageError } from './errors.ts';

/** Each says what a person may write, in words that go on “takes …”. */
const fromOne = z.number().int().min(1).describe('a whole number from 1');
const fromZero = z.number().int().min(0).describe('a whole number from 0');

export const limitsSchema = z.strictObject({
  /** Of one agent on one try of a task. */
  agentTokens: fromOne,
  agentModelCalls: fromOne,
  agentMessages: fromZero,
  /** Time at work; waiting for a person and a paused run do not count. */
  agentMinutes: z.number().positive().describe('a number above 0'),
  /** Messages of a run, whoever sent them. */
  messages: fromZero,
  /** 1: the tasks of the plan may delegate, what they delegated may not. 0: nobody delegates. */
  delegationDepth: fromZero.max(10).describe('a whole number from 0 to 10'),
  /** Agents of one role that live at once; how many of all roles work at once is the run's `maxAgents`. */
  agentsPerRole: fromOne.max(32).describe('a whole number from 1 to 32'),
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

/** Limits as a person writes them at the terminal, `agentMessages=5`; throws a sentence for each that does not fit. */
export function parseLimits(texts: readonly string[]): LimitChoice {
  const given = texts.map((text) => {
    const [name = '', value = ''] = text.split('=').map((part) => part.trim());
    const number = value === '' ? Number.NaN : Number(value);
    return [name, Number.isNaN(number) ? value : number] as const;
  });
  try {
    return checkLimits(Object.fromEntries(given));
  } catch (error) {
    throw new UsageError(`--limit takes NAME=NUMBER. ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Limits from outside, by name, without those that say what the defaults say; throws a UsageError with a sentence for each
 * that does not fit.
 */
export function checkLimits(value: unknown): LimitChoice {
  const { data, error } = limitChoiceSchema.safeParse(value);
  if (error) {
    throw new UsageError(error.issues.map((issue) => misfit(issue, value)).join(' '));
  }
  const defaults: Readonly<Record<string, number>> = DEFAULT_LIMITS;
  return Object.fromEntries(Object.entries(data).filter(([name, limit]) => limit !== defaults[name]));
}

const NAMES = limitsSchema.keyof().options;

function misfit(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    return `There is no limit ${issue.keys.map((key) => `“${key}”`).join(', ')}; there are ${NAMES.join(', ')}.`;
  }
  const name = NAMES.find((known) => known === issue.path[0]);
  if (name === undefined || typeof value !== 'object' || value === null) {
    return `Limits are numbers by name, not ${quote(value)}.`;
  }
  const written = Object.entries(value).find(([key]) => key === name)?.[1] as unknown;
  return `${name} takes ${limitsSchema.shape[name].description ?? 'a number'}, not ${quote(written)}.`;
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `“${value}”` : JSON.stringify(value);
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
