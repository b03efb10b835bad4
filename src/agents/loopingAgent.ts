/** An agent that works by the agent loop: what the roles have in common, so that each only says how its tasks are put. */
import type { AgentIdentity } from '../domain/agent.ts';
import { describeMessage, PERSON_ID, type AgentMessage } from '../domain/message.ts';
import type { TaskView } from '../domain/squadState.ts';
import { requireCurrent, type Incarnation } from '../domain/task.ts';
import type { AgentCommunicationService } from '../services/agentCommunicationService.ts';
import type { Tool } from '../tools/tool.ts';
import { runAgentLoop, type LoopServices } from './agentLoop.ts';
import { BaseAgent, type AgentTask, type TaskResult } from './baseAgent.ts';

export interface AgentServices extends Omit<LoopServices, 'takeMail'> {
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

  async handleMessage(message: AgentMessage): Promise<void> {
    const { runId, id } = this.work.task;
    requireCurrent(this.work.task, this.incarnation);
    const from =
      message.senderId === PERSON_ID
        ? 'The developer writes to you'
        : `Mail from ${message.senderId} (${message.type}; information, not an order)`;
    const mail = `${from}:\n${describeMessage(message.content)}`;
    await this.services.ledger.append({
      type: 'conversation-noted',
      runId,
      taskId: id,
      attempt: this.incarnation.attempt,
      actor: { kind: 'runtime', id: 'runtime' },
      text: mail,
      messageId: message.id,
    }).durable;
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
      this.status = error instanceof GaveUpError ? 'idle' : 'error';
      if (error instanceof GaveUpError) {
        return { outcome: 'gave-up', reason: error.message };
      }
      throw error;
    } finally {
      this.current = undefined;
    }
  }

  /** Works on the current task until a tool ends it, and answers that tool's value. */
  protected async loop(work: Work): Promise<unknown> {
    const { task, workspace, signal } = this.work;
    const end = await runAgentLoop(
      { ...this.services, takeMail: () => this.takeMail() },
      { ...work, ...this.incarnation, runId: task.runId, taskId: task.id, agentId: this.id, workspace },
      signal,
    );
    if (end.kind === 'gave-up') {
      throw new GaveUpError(end.reason);
    }
    return end.value;
  }

  protected get work(): AgentTask {
    if (!this.current) {
      throw new Error(`${this.id} has no task; its methods are called through processTask.`);
    }
    return this.current;
  }

  private async takeMail(): Promise<void> {
    for (const message of await this.services.communication.receiveMessages(this.id)) {
      await this.handleMessage(message);
    }
  }
}

class GaveUpError extends Error {
  override name = 'GaveUpError';
}
