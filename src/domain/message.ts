/** Mail between agents, people and the runtime, as the mission types it, with a union for the content. */
import * as z from 'zod';

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
]);
export type MessageContent = z.infer<typeof messageContentSchema>;

/** 5 goes first. */
export const prioritySchema = z.number().int().min(1).max(5);

export const storedMessageSchema = z.object({
  id: z.string(),
  runId: z.string().optional(),
  sender: partySchema,
  receiver: partySchema,
  type: messageTypeSchema,
  content: messageContentSchema,
  priority: prioritySchema,
  broadcastId: z.string().optional(),
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
}

export type MessageStatus = 'pending' | 'delivered' | 'processed' | 'failed';

/** A message as the living state holds it; a text over 4 KB stays in its event, found by `sequence`. */
export interface MessageRecord extends Omit<StoredMessage, 'content'> {
  content: MessageContent | { kind: 'stored'; sequence: number; preview: string };
  status: MessageStatus;
  sentAt: string;
  processedAt?: string;
  sequence: number;
}

export function partyOf(id: string): Party {
  return id === RUNTIME_ID
    ? { kind: 'runtime', id }
    : id === PERSON_ID
      ? { kind: 'person', id }
      : { kind: 'agent', id };
}

/** A message in one line, as lists and the receiving agent see it. */
export function describeMessage(content: MessageRecord['content']): string {
  switch (content.kind) {
    case 'task-request':
      return `Please do “${content.title}”.`;
    case 'task-response':
      return `${content.outcome}: ${content.summary}`;
    case 'text':
      return content.text;
    case 'stored':
      return content.preview;
  }
}
