/**
 * A run: one objective from start to the developer's decision.
 *
 *   planning → awaiting-approval → working → ended
 *      ↑______________| (revise)
 *
 * `stopped` is no phase: a stopped run keeps its phase and is taken up again by `resume`. What became of the result
 * (`outcome`) is decided before or after the end, and can be undone for an hour.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { agentTypeSchema, type AgentType } from './agent.ts';
import { approvalScopeSchema, ruleSchema, type RequestRecord, type Rule } from './approval.ts';
import { budgetLimitsSchema, HOW_TO_PRICE, type BudgetAccount } from './budget.ts';
import { envelopeLimitsSchema, limitsMoney, type Drawer, type EnvelopeLimits } from './envelopes.ts';
import { UsageError } from './errors.ts';
import { workspacePolicySchema } from './policy.ts';
import { limitChoiceSchema } from './limits.ts';
import { mcpServerSchema } from './mcpServer.ts';
import type { Mail } from './mailbox.ts';
import type { MessageRecord } from './message.ts';
import type { ProjectPlan } from './plan.ts';
import { MICRO, priceFor, priceSchema } from './prices.ts';
import type { Taint } from './taint.ts';
import type { Task } from './task.ts';

export const modelDoorSchema = z.enum(['rehearsal', 'openai', 'editor']);

/** What to do with a proven result without asking: put it in the working tree, make a branch, or keep it for review. */
export const atEndSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('keep') }),
  z.object({ kind: z.literal('apply') }),
  z.object({ kind: z.literal('branch'), name: z.string().min(1).max(200) }),
]);
export type AtEnd = z.infer<typeof atEndSchema>;

const modelChoiceSchema = z.object({
  door: modelDoorSchema,
  name: z.string().optional(),
  baseUrl: z.string().optional(),
});

type ModelChoice = z.infer<typeof modelChoiceSchema>;

/** What a model of that choice is called in prices and events. */
export function modelIdOf({ door, name = '' }: DeepReadonly<ModelChoice>): string {
  return `${door}/${name}`;
}

/** What agents of a role ask. */
export function modelOfRole({ model, roleModels }: DeepReadonly<RunOptions>, role: AgentType): RunOptions['model'] {
  return roleModels?.[role] ?? model;
}

/** All that a run may ask, each once. */
export function choicesOf(options: {
  readonly model: ModelChoice;
  readonly roleModels?: DeepReadonly<RunOptions['roleModels']> | undefined;
  readonly fallback?: ModelChoice | undefined;
}): ModelChoice[] {
  const { model, roleModels = {}, fallback } = options;
  const all = [model, ...Object.values(roleModels), ...(fallback ? [fallback] : [])];
  return all.filter((each, index) => all.findIndex((other) => isSameModel(each, other)) === index);
}

export function isSameModel(one: DeepReadonly<ModelChoice>, other: DeepReadonly<ModelChoice>): boolean {
  return modelIdOf(one) === modelIdOf(other) && one.baseUrl === other.baseUrl;
}

/** Throws a UsageError where money is limited and nobody knows what a model of the run costs. */
export function requirePrices(options: DeepReadonly<RunOptions>): void {
  if (!limitsMoney(options)) {
    return;
  }
  for (const choice of choicesOf(options)) {
    if (!priceFor(options, choice.door, modelIdOf(choice))) {
      throw new UsageError(
        `No run begins: its budget is in dollars, and nobody knows what ${modelIdOf(choice)} costs. ${HOW_TO_PRICE}`,
      );
    }
  }
}

/** A month at most. */
export const requestMinutesSchema = z.number().int().min(1).max(43_200);

/** Chosen at the start, kept in `run-started`, so that `resume` goes on with the same. Never holds a key. */
export const runOptionsSchema = z.object({
  model: modelChoiceSchema,
  /** Of single roles, in place of the model. */
  roleModels: z.partialRecord(agentTypeSchema, modelChoiceSchema).optional(),
  /** Asked in place of a model where that cannot answer soon. */
  fallback: modelChoiceSchema.optional(),
  maxAgents: z.number().int().min(1).max(32),
  budget: budgetLimitsSchema,
  /** Limits of its roles and agents, and of the day it runs on. */
  envelopes: envelopeLimitsSchema.optional(),
  /** Of its models, as they were at the start. */
  prices: z.array(priceSchema).optional(),
  /** From which share of a limit on it is warned of, in percent; 100 never. */
  warnAtPercent: z.number().min(1).max(100).optional(),
  /** A person is there: what would pass a limit waits for them to raise it. Without, the run ends. */
  asksToRaise: z.literal(true).optional(),
  /** What differs from the defaults. */
  limits: limitChoiceSchema.optional(),
  /** Minutes that what an agent wants to do waits for an answer; without, for ever. */
  requestMinutes: requestMinutesSchema.optional(),
  approve: z.array(approvalScopeSchema),
  /** The workspace's rules when the run began. */
  rules: z.array(ruleSchema).optional(),
  /** Beginnings of commands, and hosts of the web, that need no question. */
  allowedCommands: z.array(z.string()).optional(),
  allowedHosts: z.array(z.string()).optional(),
  /** MCP servers that its agents may ask to use, as the workspace defined them then. */
  mcpServers: z.array(mcpServerSchema).optional(),
  /** Of the workspace when the run began. */
  workspacePolicy: workspacePolicySchema.optional(),
  atEnd: atEndSchema,
});
export type RunOptions = z.infer<typeof runOptionsSchema>;

export type RunPhase = 'planning' | 'awaiting-approval' | 'working' | 'ended';

export const runStatusSchema = z.enum(['succeeded', 'failed', 'stopped', 'budget-reached']);
export type RunStatus = z.infer<typeof runStatusSchema>;

export const fileChangeSchema = z.object({
  path: z.string(),
  status: z.enum(['added', 'modified', 'deleted']),
  /** Lines; 0 and 0 for binary files. */
  added: z.number().int(),
  removed: z.number().int(),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

/** What a finished run changes, between the seed and the integration branch. */
export const diffSummarySchema = z.object({ tree: z.string(), files: z.array(fileChangeSchema) });
export type DiffSummary = z.infer<typeof diffSummarySchema>;

export const runUsageSchema = z.object({
  tokens: z.number().int(),
  requests: z.number().int(),
  workedMs: z.number(),
  /** Dollars; null where all of it, and `unpricedTokens` says how much where some of it, was of unknown price. */
  usd: z.number().nullable().optional(),
  unpricedTokens: z.number().int().optional(),
  toolTimeMs: z.number().optional(),
});

/** Where the run's private repository began. */
export const seedSchema = z.object({
  /** The developer's HEAD, or null where the folder has no git or no commit yet. */
  baseCommit: z.string().nullable(),
  /** Commit in the private repository that holds the working tree as it was, uncommitted changes included. */
  commit: z.string(),
  tree: z.string(),
  /** Path of the workspace inside its repository, '' when it is the repository's root; ends in '/' otherwise. */
  prefix: z.string(),
});
export type Seed = z.infer<typeof seedSchema>;

/**
 * What became of a run's result; `at` says since when.
 *
 *   kept → applying → applied → undoing → kept
 *   kept → branched → kept
 *   kept → discarded → kept
 *
 * `applying` and `undoing` stand while files are written, so a crash in the middle is seen and finished later.
 */
export type RunOutcome =
  | { kind: 'kept' }
  | { kind: 'applying'; at: string }
  | { kind: 'applied'; at: string }
  | { kind: 'undoing'; at: string }
  | { kind: 'branched'; at: string; name: string; commit: string }
  | { kind: 'discarded'; at: string };

export interface Run {
  id: string;
  objective: string;
  options: RunOptions;
  phase: RunPhase;
  paused: boolean;
  stopped: boolean;
  status?: RunStatus;
  /** Why a run failed or reached its budget, for people. */
  reason?: string;
  seed?: Seed;
  /** Head of the integration branch. */
  integration?: { commit: string; tree: string };
  plan?: ProjectPlan;
  planRevision: number;
  diff?: DiffSummary;
  outcome: RunOutcome;
  /** Whether the hour of undo is over; then the run's folder is gone, and what became of the result stays. */
  settled: boolean;
  account: BudgetAccount;
  /** Of its roles and agents, by envelope. */
  accounts: Record<string, BudgetAccount>;
  /** Limits that a person raised, by envelope. */
  raised: EnvelopeLimits;
  /** Limits that it was warned of. */
  warned: string[];
  /** No call starts any more, and the run ends with what it has. */
  budgetReached?: true;
  /** Model calls under way and what each may cost at most. */
  reservations: Record<string, Reservation>;
  tasks: Record<string, Task>;
  /** By id: all that wait, and the newest of those that are over. */
  messages: Record<string, MessageRecord>;
  mail: Mail;
  requests: Record<string, RequestRecord>;
  /** What is allowed in it by rules of the workspace. */
  rules: Rule[];
  /** What was read that changes what may be sent. */
  taint?: Taint;
  /** Counts that ids are made of, so that the same inputs give the same ids. */
  counters: { message: number; request: number; call: number };
  startedAt: string;
  endedAt?: string;
}

/** In whose accounts it stands, so that it is settled there. */
export interface Reservation extends Drawer {
  taskId: string;
  tokens: number;
  /** Absent where nobody knows the model's price. */
  microUsd?: number;
}

/** What a run came to, as its end says it. */
export function usageOf(account: DeepReadonly<BudgetAccount>): z.infer<typeof runUsageSchema> {
  const { usedTokens: tokens, unpricedTokens, requests, workedMs, toolTimeMs, usedMicroUsd } = account;
  const isUnknown = unpricedTokens > 0 && usedMicroUsd === 0;
  return {
    tokens,
    requests,
    workedMs,
    toolTimeMs,
    usd: isUnknown ? null : usedMicroUsd / MICRO,
    ...(unpricedTokens > 0 ? { unpricedTokens } : {}),
  };
}

/** How long a result can be taken back after it was applied, made a branch or discarded. */
const UNDO_MS = 3_600_000;

/** When a run's result can no longer be taken back (ms since 1970); undefined where there is nothing to take back. */
export function undoDeadline({ outcome, settled }: DeepReadonly<Pick<Run, 'outcome' | 'settled'>>): number | undefined {
  const { kind } = outcome;
  return !settled && (kind === 'applied' || kind === 'branched' || kind === 'discarded')
    ? Date.parse(outcome.at) + UNDO_MS
    : undefined;
}

/** Whether `resume` and a restart have something to do here. */
export function isUnfinished(run: Pick<Run, 'phase'>): boolean {
  return run.phase !== 'ended';
}
