/** Mail between agents, people and the runtime: durable when sent, marked when delivered, processed when taken in. */
import type { Disposable } from '../base/disposable.ts';
import {
  messageContentSchema,
  partyOf,
  prioritySchema,
  type AgentMessage,
  type MessageContent,
  type MessageRecord,
  type MessageType,
  type Party,
} from '../domain/message.ts';
import { HumanError } from '../domain/errors.ts';
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
}

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

  /** What waits for the agent, highest priority first, then oldest; marks it delivered. Ends with `conversation-noted`. */
  async receiveMessages(agentId: string): Promise<AgentMessage[]> {
    const waiting = this.messagesTo(agentId).filter(({ status }) => status === 'pending' || status === 'delivered');
    const fresh = waiting.filter(({ status }) => status === 'pending');
    for (const message of fresh) {
      this.ledger.append({ ...stamp(message), type: 'message-delivered', actor: runtime, messageId: message.id });
    }
    if (fresh.length > 0) {
      await this.ledger.flushed();
    }
    const sorted = [...waiting].sort((a, b) => b.priority - a.priority || a.sequence - b.sequence);
    return Promise.all(sorted.map((message) => this.open(message)));
  }

  /** Marks a message processed by somebody who takes it in without a conversation. */
  acknowledge(messageId: string): Promise<void> {
    const message = this.find(messageId);
    return this.ledger.append({ ...stamp(message), type: 'message-acknowledged', actor: runtime, messageId }).durable;
  }

  /** Calls back for each message to the agent from now on, once it is durable. `signal` ends it. */
  subscribeToMessages(agentId: string, callback: (message: AgentMessage) => void, signal?: AbortSignal): Promise<void> {
    const listening: Disposable = this.ledger.onDidAppend((event) => {
      if (event.type === 'message-sent' && event.message.receiver.id === agentId) {
        const { messageId } = { messageId: event.message.id };
        void this.ledger
          .flushed()
          .then(() => this.open(this.find(messageId)))
          .then(callback);
      }
    });
    signal?.addEventListener('abort', () => {
      listening.dispose();
    });
    return Promise.resolve();
  }

  /** Messages of a run in the order they were sent. */
  history(runId: string): readonly MessageRecord[] {
    return Object.values(this.ledger.state.runs[runId]?.messages ?? {});
  }

  async post(letter: Letter): Promise<void> {
    const { receiverIds, sender, ...rest } = letter;
    const content = messageContentSchema.parse(letter.content);
    const priority = prioritySchema.parse(letter.priority);
    const known = this.ledger.state.runs[letter.runId]?.messages ?? {};
    for (const receiverId of receiverIds) {
      const id = receiverIds.length === 1 ? letter.id : `${letter.id}/${receiverId}`;
      if (known[id]) {
        continue;
      }
      this.ledger.append({
        type: 'message-sent',
        runId: letter.runId,
        actor: sender,
        message: {
          id,
          runId: rest.runId,
          sender,
          receiver: partyOf(receiverId),
          type: rest.type,
          content,
          priority,
          ...(receiverIds.length === 1 ? {} : { broadcastId: letter.id }),
        },
      });
    }
    await this.ledger.flushed();
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

  private messagesTo(agentId: string): MessageRecord[] {
    return Object.values(this.ledger.state.runs)
      .filter(({ phase }) => phase !== 'ended')
      .flatMap((run) => Object.values(run.messages))
      .filter(({ receiver }) => receiver.id === agentId);
  }

  private find(messageId: string): MessageRecord {
    for (const run of Object.values(this.ledger.state.runs)) {
      const message = run.messages[messageId];
      if (message) {
        return message;
      }
    }
    throw new HumanError(`There is no message ${messageId}.`);
  }

  private async open(message: MessageRecord): Promise<AgentMessage> {
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

  private async contentOf({ content }: MessageRecord): Promise<MessageContent> {
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

function stamp({ runId }: MessageRecord): { runId?: string } {
  return runId === undefined ? {} : { runId };
}
