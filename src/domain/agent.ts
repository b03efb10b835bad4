/** What an agent is to the registry: the record that survives, never the object that runs. */
import * as z from 'zod';

export const agentTypeSchema = z.enum(['planning', 'coding', 'testing', 'research', 'deployment']);
export type AgentType = z.infer<typeof agentTypeSchema>;

/** `idle` has no task, `active` prepares one, `busy` works on one, `error` could not go on and waits for the supervisor. */
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

/** An agent as the registry knows it. `performance` is keyed by task type. */
export interface Agent extends AgentIdentity {
  status: AgentStatus;
  currentTaskId?: string;
  performance: Record<string, PerformanceRecord>;
  createdAt: string;
  lastActiveAt: string;
}
