/**
 * Mail between agents, people and the runtime: durable when sent, marked when delivered, processed when taken in. A message
 * is sent once however often it is posted, and taken in once however often it is delivered: both are decided on the living
 * state, in the turn in which the event that says so is appended.
 */
import { HumanError, messageOf } from '../domain/errors.ts';
import { RUNTIME, type EventDraft } from '../domain/events.ts';
import { isOver, waitingCount, waitingIds, wasSent } from '../domain/mailbox.ts';
import { partyOf, PERSON_ID, type AgentMessage, type MessageType } from '../domain/message.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import { failMessage } from './deadLetters.ts';
import { MailSubscriptions, type Subscription } from './mailSubscriptions.ts';
import { contentOf, historyPage, openMessage, type HistoryPage, type MessageView } from './messageHistory.ts';
import { Outbox, runOf, taskOf, type Letter, type TaskStamp } from './outbox.ts';

/** Messages that fit all that is said. */
export interface MailFilter {
  readonly type?: MessageType;
  readonly senderId?: string;
  readonly threadId?: string;
  /** That much or more. */
  readonly priority?: number;
}

export interface MailOptions {
  /** Chance for the back-off; without it a refused message is tried again at once. */
  readonly clock?: Pick<Clock, 'random'>;
  readonly logger?: Logger;
  /** More than so many waiting in one inbox are put together, the least urgent half of that number at a time. */
  readonly mostWaiting?: number;
}

/** After so many refusals a message is a dead letter. */
const MOST_REFUSALS = 5;
const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60_000;

export class AgentCommunicationService {
  private readonly ledger: Ledger;
  private readonly options: MailOptions;
  private readonly outbox: Outbox;
  private readonly subscriptions: MailSubscriptions;

  constructor(ledger: Ledger, options: MailOptions = {}) {
    this.ledger = ledger;
    this.options = options;
    this.outbox = new Outbox(ledger, options.mostWaiting);
    this.subscriptions = new MailSubscriptions(ledger, options.logger);
  }

  /** Resolves when durable. The message belongs to the run of the sender's or the receiver's current task. */
  sendMessage(message: AgentMessage): Promise<void> {
    return this.broadcastToAgents([message.receiverId], message);
  }

  /** One message for each agent, with a broadcast id in common where there are several. Resolves when durable. */
  async broadcastToAgents(agentIds: string[], message: Omit<AgentMessage, 'receiverId'>): Promise<void> {
    const { id, senderId, type, content, priority, inReplyTo, threadId } = message;
    await this.outbox.send({
      id,
      runId: this.runOfEither([senderId, ...agentIds]),
      sender: partyOf(senderId),
      receiverIds: agentIds,
      type,
      content,
      priority,
      ...(inReplyTo === undefined ? {} : { inReplyTo }),
      ...(threadId === undefined ? {} : { threadId }),
    });
  }

  /** Whether something waits for the agent that `receiveMessages` would answer. */
  hasMail(agentId: string): boolean {
    return runsOf(this.ledger.state, agentId).some(({ mail }) => waitingCount(mail, agentId) > 0);
  }

  /**
   * What waits for the agent, in the order of `domain/mailbox.ts`; marks it delivered. While it works on a task, only mail
   * of that task's run. What is not acknowledged is delivered again. A message whose text cannot be read is refused.
   */
  async receiveMessages(agentId: string, filter: MailFilter = {}): Promise<AgentMessage[]> {
    const waiting = runsOf(this.ledger.state, agentId)
      .flatMap((run) => [...waitingIds(run.mail, agentId)].flatMap((id) => run.messages[id] ?? []))
      .filter((message) => fits(message, filter));
    const fresh = waiting.filter(({ status }) => status === 'pending');
    if (fresh.length > 0) {
      await this.ledger.append(
        ...fresh.map((message): EventDraft => ({
          ...this.receiptOf(message),
          type: 'message-delivered',
          actor: RUNTIME,
          messageId: message.id,
        })),
      ).durable;
    }
    const opened: AgentMessage[] = [];
    for (const message of waiting) {
      try {
        opened.push(openMessage(message, await contentOf(this.ledger, message)));
      } catch (error) {
        await this.negativeAcknowledge(message.id, `Its text cannot be read: ${messageOf(error)}`);
      }
    }
    return opened;
  }

  /** Marks a message processed by somebody who takes it in without a conversation; once more changes nothing. */
  async acknowledge(messageId: string): Promise<void> {
    const message = this.find(messageId);
    if (message && !isOver(message)) {
      await this.ledger.append({
        ...this.receiptOf(message),
        type: 'message-acknowledged',
        actor: RUNTIME,
        messageId,
      }).durable;
    }
  }

  /**
   * The receiver could not take the message in. It rests, each time longer at most and by chance shorter, and is tried
   * again; the last time it becomes a dead letter. Does nothing for one that does not wait.
   */
  async negativeAcknowledge(messageId: string, reason: string): Promise<void> {
    const message = this.find(messageId);
    if (!message || isOver(message) || message.restsUntil !== undefined) {
      return;
    }
    const run = runOf(this.ledger.state, message.runId ?? '');
    const longest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** message.refusals);
    const delayMs = Math.floor((this.options.clock?.random() ?? 0) * longest);
    const { durable } = this.ledger.append({
      ...this.receiptOf(message),
      type: 'message-refused',
      actor: RUNTIME,
      messageId,
      reason,
      delayMs,
    });
    await (message.refusals < MOST_REFUSALS
      ? durable
      : this.ledger.append(
          ...failMessage(this.ledger.state, run, messageId, {
            cause: 'refused',
            reason: `It was refused ${MOST_REFUSALS} times: ${reason}`,
          }),
        ).durable);
  }

  /**
   * A dead letter waits again, for somebody else where one is named. Rejects with a HumanError when it is none, or when
   * nobody is there to read it.
   */
  async sendAgain(messageId: string, door: 'terminal' | 'editor', receiverId?: string): Promise<void> {
    const message = this.find(messageId);
    const run = message && runOf(this.ledger.state, message.runId ?? '');
    if (message?.status !== 'failed' || !message.deadLetter) {
      throw new HumanError('This message does not wait to be sent again.');
    }
    if (!run || run.phase === 'ended') {
      throw new HumanError('The run of this message has ended; nobody in it reads mail any more.');
    }
    const to = receiverId ?? message.receiver.id;
    if (!this.ledger.state.standing.agents[to]) {
      throw new HumanError(`${to} is not in the team. Send it to somebody else.`);
    }
    await this.ledger.append({
      type: 'message-resent',
      runId: run.id,
      actor: partyOf(PERSON_ID),
      messageId,
      ...(receiverId === undefined ? {} : { receiverId }),
      door,
    }).durable;
  }

  /**
   * Calls back for each message to the agent from now on, once it is durable. `signal` ends it. What the callback throws
   * is logged, and the message stays as it is.
   */
  subscribeToMessages(
    agentId: string,
    callback: (message: AgentMessage) => void,
    signal?: AbortSignal,
    filter: MailFilter = {},
  ): Promise<void> {
    if (signal?.aborted) {
      return Promise.resolve();
    }
    const subscription: Subscription = { agentId, callback, fits: (message) => fits(message, filter) };
    this.subscriptions.add(subscription);
    signal?.addEventListener('abort', () => {
      this.subscriptions.remove(subscription);
    });
    return Promise.resolve();
  }

  /** A run's messages, newest first, a page at a time; `before` is the `next` of the page before. */
  history(runId: string, page: { limit: number; before?: number } & MailFilter): Promise<HistoryPage> {
    return historyPage(this.ledger, runOf(this.ledger.state, runId), page, (message) => fits(message, page));
  }

  /** Whether the message was sent and nothing is left to do with it. */
  isDone(runId: string, messageId: string): boolean {
    const { mail, messages } = runOf(this.ledger.state, runId);
    const message = messages[messageId];
    return wasSent(mail, messageId) && (!message || isOver(message));
  }

  /**
   * Resolves when durable, also when the letter had been sent before. A message to nobody becomes a dead letter at once.
   * Rejects with a HumanError when the run has ended, and with a ZodError when the letter does not fit.
   */
  async post(letter: Letter): Promise<void> {
    await this.outbox.send(letter);
  }

  /** The task that taking a message in belongs to: what its agent works on, or what it tells the runtime of. */
  private receiptOf({ runId = '', receiver, content }: MessageView): { runId: string } & Partial<TaskStamp> {
    const told = content.kind === 'task-response' ? this.ledger.state.runs[runId]?.tasks[content.taskId] : undefined;
    return receiver.kind === 'runtime' && told
      ? { runId, taskId: told.id, attempt: told.attempt }
      : { runId, ...taskOf(this.ledger.state, runId, receiver.id) };
  }

  private runOfEither(partyIds: readonly string[]): string {
    const { runs, standing } = this.ledger.state;
    for (const id of partyIds) {
      const taskId = standing.agents[id]?.currentTaskId;
      for (const runId in runs) {
        if (taskId !== undefined && runs[runId]?.tasks[taskId]) {
          return runId;
        }
      }
    }
    throw new HumanError(`None of ${partyIds.join(', ')} works in a run now, so the message has nowhere to go.`);
  }

  /** Undefined when the message is over and so old that the living state has let it go. */
  private find(messageId: string): MessageView | undefined {
    const { runs } = this.ledger.state;
    for (const runId in runs) {
      const run = runs[runId];
      if (run && wasSent(run.mail, messageId)) {
        return run.messages[messageId];
      }
    }
    throw new HumanError(`There is no message ${messageId}.`);
  }
}

/** Runs whose mail the receiver takes now: the one it works in, or all that go on. */
function runsOf({ runs, standing }: SquadView, receiverId: string): RunView[] {
  const taskId = standing.agents[receiverId]?.currentTaskId;
  const going = Object.values(runs).filter(({ phase }) => phase !== 'ended');
  return taskId === undefined ? going : going.filter(({ tasks }) => tasks[taskId]);
}

function fits(message: Pick<MessageView, 'type' | 'sender' | 'threadId' | 'priority'>, filter: MailFilter): boolean {
  return (
    (filter.type === undefined || message.type === filter.type) &&
    (filter.senderId === undefined || message.sender.id === filter.senderId) &&
    (filter.threadId === undefined || message.threadId === filter.threadId) &&
    (filter.priority === undefined || message.priority >= filter.priority)
  );
}
