/** An agent that works by the agent loop: what the roles have in common, so that each only says how its tasks are put. */
import type { AgentIdentity } from '../domain/agent.ts';
import type { ToolCall } from '../domain/conversation.ts';
import type { AgentMessage } from '../domain/message.ts';
import { taskAt, type RunView, type TaskView } from '../domain/squadState.ts';
import type { Incarnation } from '../domain/task.ts';
import type { AgentCommunicationService } from '../services/agentCommunicationService.ts';
import type { Tool } from '../tools/tool.ts';
import { workingToolsFor } from '../tools/toolCatalogue.ts';
import { runAgentLoop, type LoopServices } from './agentLoop.ts';
import { BaseAgent, type AgentTask, type TaskResult } from './baseAgent.ts';
import { noteMail } from './mailNotes.ts';

export interface AgentServices extends Omit<LoopServices, 'takeMail' | 'hasMail'> {
  readonly communication: AgentCommunicationService;
}

/** How a method puts its task to the model. */
export interface Work {
  readonly instructions: string;
  readonly brief: string;
  readonly tools: readonly Tool[];
}

/** A role's methods by task type; `Types` makes the compiler see to it that none is missing. */
export type MethodTable<Types extends string> = Readonly<Record<Types, (task: TaskView) => Promise<unknown>>>;

export abstract class LoopingAgent extends BaseAgent {
  private readonly services: AgentServices;
  private current: AgentTask | undefined;
  private incarnation: Incarnation = { attempt: 0, restarts: 0 };

  constructor(identity: AgentIdentity, services: AgentServices) {
    super(identity);
    this.services = services;
  }

  handleMessage(message: AgentMessage): Promise<void> {
    return noteMail(this.services.ledger, this.work.task, this.incarnation, [message], []);
  }

  getCapabilities(): Promise<string[]> {
    return Promise.resolve([...this.capabilities]);
  }

  /** Runs `method` as the current task. */
  protected async perform(
    work: AgentTask,
    method: ((task: TaskView) => Promise<unknown>) | undefined,
  ): Promise<TaskResult> {
    if (!method) {
      return { outcome: 'gave-up', reason: `A ${this.type} agent has no method for ${work.task.type}.` };
    }
    this.current = work;
    // The task is the living one; this is what it was when the work began.
    this.incarnation = { attempt: work.task.attempt, restarts: work.task.restarts };
    this.status = 'busy';
    try {
      const artifact = await method(work.task);
      this.status = 'idle';
      return { outcome: 'done', artifact };
    } catch (error) {
      this.status = error instanceof LoopEndedError ? 'idle' : 'error';
      if (error instanceof LoopEndedError) {
        return { outcome: error.outcome, reason: error.message };
      }
      throw error;
    } finally {
      // An old start of it may end when a new one has begun.
      if (this.current === work) {
        this.current = undefined;
      }
    }
  }

  /** Works on the current task until a tool ends it, and answers that tool's value. */
  protected async loop(work: Work): Promise<unknown> {
    const { task, workspace, signal, winding } = this.work;
    // This object may be started anew while an old start of it has not ended yet.
    const { incarnation } = this;
    const end = await runAgentLoop(
      {
        ...this.services,
        takeMail: (notBegun) => this.takeMail(task, incarnation, notBegun),
        hasMail: () => this.services.communication.hasMail(this.id),
      },
      { ...work, ...incarnation, runId: task.runId, taskId: task.id, agentId: this.id, workspace, winding },
      signal,
    );
    if (end.kind !== 'ended') {
      throw new LoopEndedError(end.kind, end.reason);
    }
    return end.value;
  }

  /** What changes files, with the servers of the run where it has any. */
  protected get workingTools(): readonly Tool[] {
    return workingToolsFor(this.run.options);
  }

  /** Names of the MCP servers that the run may use. */
  protected get servers(): readonly string[] {
    return (this.run.options.mcpServers ?? []).map(({ name }) => name);
  }

  private get run(): RunView {
    return taskAt(this.services.ledger.state, { runId: this.work.task.runId, taskId: this.work.task.id }).run;
  }

  protected get work(): AgentTask {
    if (!this.current) {
      throw new Error(`${this.id} has no task; its methods are called through processTask.`);
    }
    return this.current;
  }

  private async takeMail(task: TaskView, incarnation: Incarnation, notBegun: readonly ToolCall[]): Promise<boolean> {
    const { communication, ledger } = this.services;
    if (!communication.hasMail(this.id)) {
      return false;
    }
    const messages = await communication.receiveMessages(this.id);
    await noteMail(ledger, task, incarnation, messages, notBegun);
    return messages.length > 0;
  }
}

/** Ends a method whose loop came to no result. */
class LoopEndedError extends Error {
  override name = 'LoopEndedError';
  readonly outcome: 'gave-up' | 'stuck';
  constructor(outcome: 'gave-up' | 'stuck', reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}
