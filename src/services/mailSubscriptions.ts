/**
 * Who is called back when mail comes in. Each event is looked at once, however many subscribe, and all that comes in within
 * one turn waits for the disk together.
 */
import { messageOf } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import { isOver } from '../domain/mailbox.ts';
import type { AgentMessage } from '../domain/message.ts';
import type { Ledger, Logger } from '../ports.ts';
import { contentOf, openMessage, type MessageView } from './messageHistory.ts';

export interface Subscription {
  readonly agentId: string;
  readonly fits: (message: MessageView) => boolean;
  readonly callback: (message: AgentMessage) => void;
}

/** A message that somebody is to be told of, and the event that brought it. */
interface News {
  readonly subscription: Subscription;
  readonly runId: string;
  readonly messageId: string;
  readonly sequence: number;
}

export class MailSubscriptions {
  private readonly ledger: Ledger;
  private readonly logger: Logger | undefined;
  private readonly byAgent = new Map<string, Set<Subscription>>();
  /** What this turn has brought so far. */
  private news: News[] = [];
  private telling: Promise<unknown> = Promise.resolve();
  private isListening = false;

  constructor(ledger: Ledger, logger: Logger | undefined) {
    this.ledger = ledger;
    this.logger = logger;
  }

  add(subscription: Subscription): void {
    const others = this.byAgent.get(subscription.agentId) ?? new Set();
    this.byAgent.set(subscription.agentId, others.add(subscription));
    if (!this.isListening) {
      this.isListening = true;
      this.ledger.onDidAppend((event) => {
        this.hear(event);
      });
    }
  }

  remove(subscription: Subscription): void {
    this.byAgent.get(subscription.agentId)?.delete(subscription);
  }

  private hear(event: SquadEvent): void {
    const messageId = messageThatComesIn(event);
    const runId = event.runId ?? '';
    const message = messageId === undefined ? undefined : this.ledger.state.runs[runId]?.messages[messageId];
    if (!message) {
      return;
    }
    for (const subscription of this.byAgent.get(message.receiver.id) ?? []) {
      if (subscription.fits(message)) {
        this.news.push({ subscription, runId, messageId: message.id, sequence: event.sequence });
        if (this.news.length === 1) {
          // After all that this turn brings.
          setImmediate(() => {
            this.tellAll();
          });
        }
      }
    }
  }

  private tellAll(): void {
    const { news } = this;
    this.news = [];
    this.telling = Promise.all([this.ledger.flushed(news.at(-1)?.sequence), this.telling])
      .then(async () => {
        for (const each of news) {
          await this.tell(each);
        }
      })
      .catch((error: unknown) => {
        this.logger?.error(`Nobody was told of ${news.length} messages: ${messageOf(error)}`, error);
      });
  }

  private async tell({ subscription, runId, messageId }: News): Promise<void> {
    const message = this.ledger.state.runs[runId]?.messages[messageId];
    if (!message || isOver(message)) {
      return;
    }
    try {
      const content = await contentOf(this.ledger, message);
      if (this.byAgent.get(subscription.agentId)?.has(subscription)) {
        subscription.callback(openMessage(message, content));
      }
    } catch (error) {
      this.logger?.error(`Message ${messageId}: ${messageOf(error)}`, error);
    }
  }
}

function messageThatComesIn(event: SquadEvent): string | undefined {
  switch (event.type) {
    case 'message-sent':
      return event.message.id;
    case 'message-retried':
    case 'message-resent':
      return event.messageId;
    default:
      return undefined;
  }
}
