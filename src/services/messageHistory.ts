/** A run's messages of the past, read back from the ledger in pages: the living state keeps only the newest that are over. */
import type { AgentMessage, MessageContent, MessageStatus, StoredMessage } from '../domain/message.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';

export type MessageView = RunView['messages'][string];

export interface HistoryEntry extends AgentMessage {
  /** Of what the living state has let go only that it is over is known here; the tables know how. */
  readonly status: MessageStatus;
}

export interface HistoryPage {
  readonly messages: readonly HistoryEntry[];
  /** Where the next page begins; absent where there is none. */
  readonly next?: number;
}

export async function historyPage(
  ledger: Ledger,
  run: RunView,
  { limit, before = Infinity }: { limit: number; before?: number },
  fits: (message: StoredMessage) => boolean,
): Promise<HistoryPage> {
  const sequences = Object.values(run.mail.sent)
    .filter((sequence) => sequence < before)
    .sort((one, other) => other - one);
  const messages: HistoryEntry[] = [];
  for (const sequence of sequences) {
    if (messages.length === limit) {
      return { messages, next: sequence + 1 };
    }
    const event = await ledger.read(sequence);
    if (event.type === 'message-sent' && fits(event.message)) {
      const { id, content } = event.message;
      const status = run.messages[id]?.status ?? 'processed';
      messages.push({ ...openMessage({ ...event.message, sentAt: event.at }, content), status });
    }
  }
  return { messages };
}

/** A message as the mission types it. */
export function openMessage(
  message: Pick<MessageView, 'id' | 'sender' | 'receiver' | 'type' | 'priority' | 'sentAt' | 'threadId' | 'inReplyTo'>,
  content: MessageContent,
): AgentMessage {
  const { id, sender, receiver, type, priority, sentAt, threadId, inReplyTo } = message;
  return {
    id,
    senderId: sender.id,
    receiverId: receiver.id,
    type,
    priority,
    timestamp: new Date(sentAt),
    content,
    ...(threadId === undefined ? {} : { threadId }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  };
}

/** The whole text, from the ledger where the living state has only its beginning. */
export async function contentOf(ledger: Ledger, { content }: MessageView): Promise<MessageContent> {
  if (content.kind !== 'stored') {
    // A copy that its receiver may keep; most are texts, which need no deep one.
    return content.kind === 'text' ? { ...content } : (structuredClone(content) as MessageContent);
  }
  const event = await ledger.read(content.sequence);
  if (event.type !== 'message-sent') {
    throw new Error(`Event ${content.sequence} holds no message.`);
  }
  return event.message.content;
}
