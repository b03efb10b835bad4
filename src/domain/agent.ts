/**
 * What an agent is to the registry: the record that survives, never the object that runs. Its life:
 *
 *   idle → active → busy        a task is given to it; its worktree and brief are prepared; it works
 *    ↑________|______|          the task ended, was handed back, or begins anew with somebody
 *           ↓ ↑      |
 *           error ←──┘          it crashed, fell silent or went in circles: it keeps its task, and the supervisor starts
 *                               it again (active) or takes the task away (an error without a task, until a person
 *                               brings it back to idle)
 *
 * A draining agent ends the task it has and is destroyed then; it is given no other.
 */
import * as z from 'zod';
import type { Spent } from './limits.ts';

export const agentTypeSchema = z.enum(['planning', 'coding', 'testing', 'research', 'deployment']);
export type AgentType = z.infer<typeof agentTypeSchema>;

/** What a person writes for single roles, as in a setting. */
export const writtenByRoleSchema = z.partialRecord(agentTypeSchema, z.string());

/** The mission's words for the states above. */
export const agentStatusSchema = z.enum(['idle', 'active', 'busy', 'error']);
export type AgentStatus = z.infer<typeof agentStatusSchema>;

/** What whoever creates an agent may choose; the factory gives the id. */
export const agentConfigSchema = z.strictObject({
  name: z.string().min(1).max(60),
  capabilities: z.array(z.string().min(1).max(60)).max(40),
  specializations: z.array(z.string().min(1).max(60)).max(40),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;

export const agentIdentitySchema = agentConfigSchema.extend({
  id: z.string().min(1),
  type: agentTypeSchema,
});
export type AgentIdentity = z.infer<typeof agentIdentitySchema>;

/** How an agent did on one type of task: counts and sums, so that averages can be told with their basis. */
export interface PerformanceRecord {
  proven: number;
  failed: number;
  /** Finish claims that the checks refused. */
  refusedClaims: number;
  workedMs: number;
  tokens: number;
}

/** What made an agent unable to go on: nothing was heard of it, it went in circles, or its own code threw. */
export const agentTroubleSchema = z.enum(['silent', 'stuck', 'crashed']);
export type AgentTrouble = z.infer<typeof agentTroubleSchema>;

/** Restarts that an agent keeps in mind: as many as the supervisor counts. */
export const REMEMBERED_RESTARTS = 3;

/** An agent as the registry knows it. `performance` is keyed by task type. */
export interface Agent extends AgentIdentity {
  status: AgentStatus;
  currentTaskId?: string;
  performance: Record<string, PerformanceRecord>;
  draining: boolean;
  /** Why it is in `error`; `chance` (0 to 1) is what the delay of its restart is drawn from. */
  trouble?: { kind: AgentTrouble; reason: string; chance: number };
  /** In its life, and when the newest of them were, oldest first. */
  restarts: number;
  restartedAt: string[];
  /** On the tasks it had before the present one. */
  spent: Spent;
  createdAt: string;
  lastActiveAt: string;
}
