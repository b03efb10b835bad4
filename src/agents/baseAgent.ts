/** What every agent is: an identity, the tasks it can do, and how it takes part in the team. */
import type { AgentIdentity, AgentStatus, AgentType } from '../domain/agent.ts';
import type { AgentMessage } from '../domain/message.ts';
import type { TaskView } from '../domain/squadState.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';

/**
 * A task together with what the agent works on it with. `signal` ends the work at once; once `winding` is aborted, the call
 * under way may end and nothing else begins.
 */
export interface AgentTask {
  readonly task: TaskView;
  readonly workspace: TaskWorkspace;
  readonly signal: AbortSignal;
  readonly winding: AbortSignal;
}

/**
 * How the agent's own part ended. Whether a task is proven is the host's word, never the agent's. `stuck`: it went in
 * circles, and a fresh start may help.
 */
export type TaskResult = { outcome: 'done'; artifact: unknown } | { outcome: 'gave-up' | 'stuck'; reason: string };

export abstract class BaseAgent {
  protected readonly id: string;
  protected readonly type: AgentType;
  protected readonly capabilities: string[];
  protected status: AgentStatus = 'idle';

  constructor(identity: AgentIdentity) {
    this.id = identity.id;
    this.type = identity.type;
    this.capabilities = identity.capabilities;
  }

  /** Runs the method that the task's type names. Rejects with ModelError, BudgetReachedError or the signal's reason. */
  abstract processTask(work: AgentTask): Promise<TaskResult>;

  /** Takes one message into the current task's conversation. */
  abstract handleMessage(message: AgentMessage): Promise<void>;

  abstract getCapabilities(): Promise<string[]>;
}
