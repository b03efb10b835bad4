/**
 * Mail between agents, people and the runtime: durable when sent, marked when delivered, processed when taken in. A message
 * is sent once however often it is posted, and taken in once however often it is delivered: both are decided on the living
 * state, in the turn in which the event that says so is appended.
 */
import type { Disposable } from '../base/disposable.ts';
import {
  messageContentSchema,
  partyOf,
  prioritySchema,
  type AgentMessage,
  type MessageContent,
  type MessageType,
  type Party,
} from '../domain/message.ts';
import { HumanError } from '../domain/errors.ts';
import { isOver, waitingCount, waitingIds, wasSent } from '../domain/mailbox.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';

/** A letter to one or several; `id` makes the messages' ids, so that sending it again sends nothing. */
export interface Letter {
  readonly id: string;
  readonly runId: string;
  readonly sender: Party;
  readonly receiverIds: readonly string[];
  readonly type: MessageType;
  readonly content: MessageContent;
  readonly priority: number;
  /** The task it is part of; where nothing is said, the one that the sender works on. */
  readonly task?: TaskStamp;
}

/** Which try of which task an event belongs to. */
export interface TaskStamp {
  readonly taskId: string;
  readonly attempt: number;
}

type MessageView = RunView['messages'][string];

export class AgentCommunicationService {
  private readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Resolves when durable. The message belongs to the run of the sender's or the receiver's current task. */
  sendMessage(message: AgentMessage): Promise<void> {
    return this.post({ ...this.letterOf(message), id: message.id, receiverIds: [message.receiverId] });
  }

  broadcastToAgents(agentIds: string[], message: Omit<AgentMessage, 'receiverId'>): Promise<void> {
    return this.post({
      ...this.letterOf({ ...message, receiverId: agentIds[0] ?? '' }),
      id: message.id,
      receiverIds: agentIds,
    });
  }

  /** Whether something waits for the agent that `receiveMessages` would answer. */
  hasMail(agentId: string): boolean {
    return this.runsOf(agentId).some(({ mail }) => waitingCount(mail, agentId) > 0);
  }

  /**
   * What waits for the agent, in the order of `domain/mailbox.ts`; marks it delivered. While it works on a task, only mail
   * of that task's run. What is not acknowledged is delivered again.
   */
  async receiveMessages(agentId: string): Promise<AgentMessage[]> {
    const waiting = this.runsOf(agentId).flatMap((run) => messagesTo(run, agentId));
    const fresh = waiting.filter(({ status }) => status === 'pending');
    if (fresh.length > 0) {
      await this.ledger.append(
        ...fresh.map((message) => ({
          ...this.receiptOf(message),
          type: 'message-delivered' as const,
          actor: runtime,
          messageId: message.id,
        })),
      ).durable;
    }
    return Promise.all(waiting.map((message) => this.open(message)));
  }

  /** Marks a message processed by somebody who takes it in without a conversation; once more changes nothing. */
  async acknowledge(messageId: string): Promise<void> {
    const message = this.find(messageId);
    if (message && !isOver(message)) {
      await this.ledger.append({
        ...this.receiptOf(message),
        type: 'message-acknowledged',
        actor: runtime,
        messageId,
      }).durable;
    }
  }

  /** Calls back for each message to the agent from now on, once it is durable. `signal` ends it. */
  subscribeToMessages(agentId: string, callback: (message: AgentMessage) => void, signal?: AbortSignal): Promise<void> {
    const listening: Disposable = this.ledger.onDidAppend((event) => {
      if (event.type === 'message-sent' && event.message.receiver.id === agentId) {
        const { messageId } = { messageId: event.message.id };
        void this.ledger.flushed().then(async () => {
          const message = this.find(messageId);
          if (message) {
            callback(await this.open(message));
          }
        });
      }
    });
    signal?.addEventListener('abort', () => {
      listening.dispose();
    });
    return Promise.resolve();
  }

  /** Whether the message was sent and nothing is left to do with it. */
  isDone(runId: string, messageId: string): boolean {
    const { mail, messages } = this.run(runId);
    const message = messages[messageId];
    return wasSent(mail, messageId) && (!message || isOver(message));
  }

  /** Resolves when durable, also when the letter had been sent before. */
  async post(letter: Letter): Promise<void> {
    const { receiverIds, sender } = letter;
    const content = messageContentSchema.parse(letter.content);
    const priority = prioritySchema.parse(letter.priority);
    const stamp = letter.task ?? this.taskOf(letter.runId, sender.id);
    const drafts = receiverIds.flatMap((receiverId) => {
      const id = receiverIds.length === 1 ? letter.id : `${letter.id}/${receiverId}`;
      return wasSent(this.run(letter.runId).mail, id)
        ? []
        : [
            {
              type: 'message-sent' as const,
              runId: letter.runId,
              ...stamp,
              actor: sender,
              message: {
                id,
                runId: letter.runId,
                sender,
                receiver: partyOf(receiverId),
                type: letter.type,
                content,
                priority,
                ...(receiverIds.length === 1 ? {} : { broadcastId: letter.id }),
              },
            },
          ];
    });
    // Whoever sends again waits for what the first sending appended.
    await (drafts.length > 0 ? this.ledger.append(...drafts).durable : this.ledger.flushed());
  }

  private letterOf(message: AgentMessage): Omit<Letter, 'id' | 'receiverIds'> {
    const { agents } = this.ledger.state.standing;
    const taskId = agents[message.senderId]?.currentTaskId ?? agents[message.receiverId]?.currentTaskId;
    const run = Object.values(this.ledger.state.runs).find(({ tasks }) => taskId !== undefined && tasks[taskId]);
    if (!run) {
      throw new HumanError(
        `Neither ${message.senderId} nor ${message.receiverId} works in a run now, so the message has nowhere to go.`,
      );
    }
    const { type, content, priority } = message;
    return { runId: run.id, sender: partyOf(message.senderId), type, content, priority };
  }

  /** Runs whose mail the receiver takes now: the one it works in, or all that go on. */
  private runsOf(receiverId: string): RunView[] {
    const taskId = this.ledger.state.standing.agents[receiverId]?.currentTaskId;
    const going = Object.values(this.ledger.state.runs).filter(({ phase }) => phase !== 'ended');
    return taskId === undefined ? going : going.filter(({ tasks }) => tasks[taskId]);
  }

  /** The task that taking a message in belongs to: what its agent works on, or what it tells the runtime of. */
  private receiptOf({ runId = '', receiver, content }: MessageView): { runId: string } & Partial<TaskStamp> {
    const told = content.kind === 'task-response' ? this.ledger.state.runs[runId]?.tasks[content.taskId] : undefined;
    return receiver.kind === 'runtime' && told
      ? { runId, taskId: told.id, attempt: told.attempt }
      : { runId, ...this.taskOf(runId, receiver.id) };
  }

  private taskOf(runId: string, partyId: string): Partial<TaskStamp> {
    const taskId = this.ledger.state.standing.agents[partyId]?.currentTaskId;
    const task = taskId === undefined ? undefined : this.ledger.state.runs[runId]?.tasks[taskId];
    return task ? { taskId: task.id, attempt: task.attempt } : {};
  }

  private run(runId: string): RunView {
    const run = this.ledger.state.runs[runId];
    if (!run) {
      throw new HumanError(`There is no run ${runId}.`);
    }
    return run;
  }

  /** Undefined when the message is over and so old that the living state has let it go. */
  private find(messageId: string): MessageView | undefined {
    for (const run of Object.values(this.ledger.state.runs)) {
      if (wasSent(run.mail, messageId)) {
        return run.messages[messageId];
      }
    }
    throw new HumanError(`There is no message ${messageId}.`);
  }

  private async open(message: MessageView): Promise<AgentMessage> {
    const { id, sender, receiver, type, priority, sentAt } = message;
    return {
      id,
      senderId: sender.id,
      receiverId: receiver.id,
      type,
      priority,
      timestamp: new Date(sentAt),
      content: await this.contentOf(message),
    };
  }

  private async contentOf({ content }: MessageView): Promise<MessageContent> {
    if (content.kind !== 'stored') {
      return content;
    }
    const event = await this.ledger.read(content.sequence);
    if (event.type !== 'message-sent') {
      throw new Error(`Event ${content.sequence} holds no message.`);
    }
    return event.message.content;
  }
}

const runtime = { kind: 'runtime' as const, id: 'runtime' };

function messagesTo(run: RunView, receiverId: string): MessageView[] {
  return [...waitingIds(run.mail, receiverId)].flatMap((id) => run.messages[id] ?? []);
}
