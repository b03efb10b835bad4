/** What an agent and a model say to each other, in the form that every model door can carry. */
import * as z from 'zod';

/** A call as the model wrote it: `argumentsText` is parsed strictly, and only by the tool runner. */
export const toolCallSchema = z.object({ id: z.string(), name: z.string(), argumentsText: z.string() });
export type ToolCall = z.infer<typeof toolCallSchema>;

/** Why a model stopped: it said all, it wants tools, it ran out of room, or a filter cut it. */
export const finishReasonSchema = z.enum(['stop', 'tool-calls', 'length', 'content-filter']);
export type FinishReason = z.infer<typeof finishReasonSchema>;

export const modelAnswerSchema = z.object({
  text: z.string(),
  toolCalls: z.array(toolCallSchema),
  finishReason: finishReasonSchema,
});
export type ModelAnswer = z.infer<typeof modelAnswerSchema>;

export type ConversationEntry =
  | { role: 'system'; text: string }
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; toolCalls: readonly ToolCall[] }
  | { role: 'tool'; callId: string; text: string };
