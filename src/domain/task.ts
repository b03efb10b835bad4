/**
 * A task and the machine it goes through:
 *
 *   waiting → ready → working ⇄ waiting_for_person
 *                        ↓↑ (a check failed, a merge conflicted)
 *                     proving → merging → proven
 *
 * A task that handed work on and would finish waits as `split` for it, without a place at work, and then works again:
 *
 *   working → split → working
 *
 * Every phase but the last ones can go to `paused`, `failed` or `cancelled`; a failed task may become `ready` again
 * with the next attempt. `merging` keeps the proof of the task's own tree and adds the one of the integration branch.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { agentTypeSchema } from './agent.ts';
import { SupersededError } from './errors.ts';
import type { Spent } from './limits.ts';
import { acceptanceCheckSchema, type CheckResult } from './proof.ts';

/** Types of task that an agent has a method for; a type is added together with its method. */
export const taskTypeSchema = z.enum(['create-project-plan', 'generate-code', 'review-code', 'generate-tests']);
export type TaskType = z.infer<typeof taskTypeSchema>;

export const toolEffectSchema = z.enum(['read', 'write', 'process', 'network', 'team']);
export type ToolEffect = z.infer<typeof toolEffectSchema>;

export const taskPhaseSchema = z.enum([
  'waiting',
  'ready',
  'working',
  'paused',
  'waiting_for_person',
  'split',
  'proving',
  'merging',
  'proven',
  'failed',
  'cancelled',
]);
export type TaskPhase = z.infer<typeof taskPhaseSchema>;

/** The mission's `status` column. */
export type TaskStatus = 'assigned' | 'in_progress' | 'completed' | 'failed' | 'delegated';

export const STATUS_BY_PHASE: Readonly<Record<TaskPhase, TaskStatus>> = {
  waiting: 'assigned',
  ready: 'assigned',
  working: 'in_progress',
  paused: 'in_progress',
  waiting_for_person: 'in_progress',
  split: 'delegated',
  proving: 'in_progress',
  merging: 'in_progress',
  proven: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

/** What is asked: fixed when the task is created. */
export const taskSpecSchema = z.object({
  id: z.string(),
  runId: z.string(),
  key: z.string(),
  parentTaskId: z.string().optional(),
  /** By which call of which try its parent handed it on; the call makes it once. */
  delegation: z.object({ call: z.string(), attempt: z.number().int() }).optional(),
  title: z.string(),
  description: z.string(),
  role: agentTypeSchema,
  type: taskTypeSchema,
  input: z.unknown().optional(),
  capabilities: z.array(z.string()),
  /** Ids of tasks that must be proven first. */
  dependsOn: z.array(z.string()),
  reads: z.array(z.string()),
  writes: z.array(z.string()),
  priority: z.number().int().min(1).max(5),
  estimateMs: z.number().positive().optional(),
  acceptance: z.array(acceptanceCheckSchema),
});
export type TaskSpec = z.infer<typeof taskSpecSchema>;

/** A task as the living state holds it: what is asked, and how far it came. */
export interface Task extends TaskSpec {
  phase: TaskPhase;
  /** 1 for the first start. Travels with every effect, so that an effect of an earlier one does nothing. */
  attempt: number;
  /** Starts that were handed back and thus were no tries. */
  handedBack: number;
  /** How often its agent was started anew within this attempt; travels with `attempt`. */
  restarts: number;
  /** In this attempt. */
  spent: Spent;
  agentId?: string;
  delegatedByAgentId?: string;
  /** Commit of the private repository that this attempt began on. */
  baseCommit?: string;
  /** Commit and tree that the task last handed to verification. */
  work?: { commit: string; tree: string };
  /** Commit and tree of the integration branch that this task's work became; nothing is merged twice. */
  merged?: { commit: string; tree: string };
  checks: CheckResult[];
  /** What the agent said when it claimed to be finished; counts only once the phase is `proven`. */
  claim?: { summary: string; artifacts?: unknown };
  progress?: { percent?: number; note: string };
  failure?: string;
  /** Why the try before this one ended without success; its agent is told. */
  earlierFailure?: string;
  /** Why its agent was started afresh within this attempt; it is told. */
  restartedFor?: string;
  /** Sequences of the events that make up the conversation of this attempt, in order. */
  conversation: number[];
  /** Tool calls of this attempt so far; the next one is `<task>.<steps + 1>`. */
  steps: number;
  /** A tool call that has begun and not ended; after a restart it is the one to look at first. */
  openCall?: {
    callId: string;
    step: number;
    effect?: ToolEffect;
    /** Since when its tool is at work, and waits for nobody (ISO 8601). */
    runsSince?: string;
  };
  /** The request to raise a budget that its next model call waits for. */
  heldBy?: string;
  /** Its model call stands still until then (ISO 8601), and goes on by itself. */
  parked?: { until: string; reason: string };
  tokens: number;
  modelCalls: number;
  refusedClaims: number;
  createdAt: string;
  startedAt?: string;
  completedAt?: string;
}

/** Which start of which attempt an effect belongs to. */
export interface Incarnation {
  readonly attempt: number;
  readonly restarts: number;
}

/** An agent at work on a task, in one start of it: on whose behalf something is done. */
export interface AgentAtWork extends Incarnation {
  readonly runId: string;
  readonly taskId: string;
  readonly agentId: string;
}

/** Names one call for ever: its request to a person, its letters and the task it hands on carry it. */
export function callKey({ taskId, attempt, step }: AgentAtWork & { readonly step: number }): string {
  return `${taskId}.${attempt}.${step}`;
}

/** False for what an earlier attempt, or an earlier start of the agent, still does: then it must do nothing. */
export function isCurrent(task: DeepReadonly<Incarnation> | undefined, { attempt, restarts }: Incarnation): boolean {
  return task?.attempt === attempt && task.restarts === restarts;
}

/** Throws SupersededError where `isCurrent` is false. */
export function requireCurrent(task: DeepReadonly<Incarnation> | undefined, incarnation: Incarnation): void {
  if (!isCurrent(task, incarnation)) {
    throw new SupersededError(
      `Attempt ${incarnation.attempt}, start ${incarnation.restarts + 1} of the task is over; what it still did counts no more.`,
    );
  }
}

/** Tries that were used up, the present one included. */
export function triesOf({ attempt, handedBack }: DeepReadonly<Pick<Task, 'attempt' | 'handedBack'>>): number {
  return attempt - handedBack;
}

export function isOver(phase: TaskPhase): boolean {
  return phase === 'proven' || phase === 'failed' || phase === 'cancelled';
}

/** Tasks that an agent is to be at: what it holds, what it waits for, and what it was just given. */
export function isAssigned({ phase, agentId }: DeepReadonly<Pick<Task, 'phase' | 'agentId'>>): boolean {
  return isHeld(phase) || phase === 'split' || (phase === 'ready' && agentId !== undefined);
}

/** Phases in which an agent holds the task and a place at work and, after a restart, must take it up again. */
export function isHeld(phase: TaskPhase): boolean {
  return phase === 'working' || phase === 'waiting_for_person' || phase === 'proving' || phase === 'merging';
}
