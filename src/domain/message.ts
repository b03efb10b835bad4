/** Mail between agents, people and the runtime, as the mission types it, with a union for the content. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';

export const messageTypeSchema = z.enum(['task_request', 'task_response', 'status_update', 'coordination']);
export type MessageType = z.infer<typeof messageTypeSchema>;

export const partySchema = z.object({ kind: z.enum(['agent', 'person', 'runtime']), id: z.string() });
export type Party = z.infer<typeof partySchema>;

/** No text longer than this stays in the living state; the event has it. */
export const LONGEST_TEXT = 4096;

/** Whom `senderId` and `receiverId` mean when it is no agent. */
export const RUNTIME_ID = 'runtime';
export const PERSON_ID = 'you';

export const messageContentSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('task-request'), taskId: z.string(), title: z.string(), attempt: z.number().int() }),
  z.object({
    kind: z.literal('task-response'),
    taskId: z.string(),
    outcome: z.enum(['proven', 'failed', 'cancelled']),
    summary: z.string(),
  }),
  z.object({ kind: z.literal('text'), text: z.string().min(1).max(20_000) }),
  /** Stands for many that waited at once; they themselves are in the history. */
  z.object({
    kind: z.literal('digest'),
    count: z.number().int(),
    senders: z.array(z.object({ id: z.string(), count: z.number().int() })),
    lines: z.array(z.string()),
  }),
  /** A message could not be delivered. */
  z.object({
    kind: z.literal('undelivered'),
    messageId: z.string(),
    senderId: z.string(),
    receiverId: z.string(),
    reason: z.string(),
    preview: z.string(),
  }),
]);
export type MessageContent = z.infer<typeof messageContentSchema>;

/** 5 goes first. */
export const prioritySchema = z.int().min(1).max(5);

export const storedMessageSchema = z.object({
  id: z.string(),
  runId: z.string().optional(),
  sender: partySchema,
  receiver: partySchema,
  type: messageTypeSchema,
  content: messageContentSchema,
  priority: prioritySchema,
  broadcastId: z.string().optional(),
  /** The message this answers, and the first one of their conversation. */
  inReplyTo: z.string().optional(),
  threadId: z.string().optional(),
  /** Ids of the messages that this one stands for; they are processed by it. */
  compacts: z.array(z.string()).optional(),
});
export type StoredMessage = z.infer<typeof storedMessageSchema>;

/** The mission's message. Senders are set by the runtime, never by the text. */
export interface AgentMessage {
  id: string;
  senderId: string;
  receiverId: string;
  type: MessageType;
  content: MessageContent;
  priority: number;
  timestamp: Date;
  threadId?: string;
  inReplyTo?: string;
}

/** What a person wrote, before it became messages. */
export const letterSchema = z.object({
  id: z.string(),
  receiverIds: z.array(z.string()).min(1),
  type: messageTypeSchema,
  content: messageContentSchema,
  priority: prioritySchema,
  inReplyTo: z.string().optional(),
  threadId: z.string().optional(),
});

/** Why a message became a dead letter. */
export const deadCauseSchema = z.enum(['unknown-receiver', 'receiver-gone', 'refused']);
export type DeadCause = z.infer<typeof deadCauseSchema>;

export interface DeadLetter {
  cause: DeadCause;
  reason: string;
  failedAt: string;
  /** When somebody last sent it again. */
  resentAt?: string;
}

export type MessageStatus = 'pending' | 'delivered' | 'processed' | 'failed';

/** A message as the living state holds it; a text over 4 KB stays in its event, found by `sequence`. */
export interface MessageRecord extends Omit<StoredMessage, 'content' | 'compacts'> {
  content: MessageContent | { kind: 'stored'; sequence: number; preview: string };
  status: MessageStatus;
  sentAt: string;
  processedAt?: string;
  /** How often its receiver refused it, and until when it rests after the last time. */
  refusals: number;
  restsUntil?: string;
  deadLetter?: DeadLetter;
  sequence: number;
}

export function partyOf(id: string): Party {
  return id === RUNTIME_ID
    ? { kind: 'runtime', id }
    : id === PERSON_ID
      ? { kind: 'person', id }
      : { kind: 'agent', id };
}

/** Messages that could not be delivered and were not sent again since, oldest first. */
export function deadLettersOf<Message extends DeepReadonly<Pick<MessageRecord, 'status' | 'deadLetter'>>>(
  messages: Readonly<Record<string, Message>>,
): Message[] {
  return Object.values(messages).filter(({ status, deadLetter }) => status === 'failed' && deadLetter);
}

/** A message in one line, as lists and the receiving agent see it. */
export function describeMessage(content: DeepReadonly<MessageRecord['content']>): string {
  switch (content.kind) {
    case 'task-request':
      return `Please do “${content.title}”.`;
    case 'task-response':
      return `${content.outcome}: ${content.summary}`;
    case 'text':
      return content.text;
    case 'digest':
      return [
        `${content.count} messages, put together because too many waited, from ${content.senders.map(({ id, count }) => `${id} (${count})`).join(', ')}. They began:`,
        ...content.lines.map((line) => `- ${line}`),
      ].join('\n');
    case 'undelivered':
      return `A message from ${content.senderId} to ${content.receiverId} was not delivered: ${content.reason} It said: ${content.preview}`;
    case 'stored':
      return content.preview;
  }
}
