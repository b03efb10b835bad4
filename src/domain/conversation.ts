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

/** The result of a call that was not begun because mail came in before it. */
export const PUT_OFF = 'Not begun: mail came in first, see below. If this is still right, call it again.';

/**
 * For a model whose lines are prepared: calls of its last answer that were put off and that it must repeat, and the
 * conversation as it would have been without that, repetitions left out.
 */
export function afterPutOff(conversation: readonly ConversationEntry[]): {
  repeat: readonly ToolCall[];
  heard: readonly ConversationEntry[];
} {
  const heard: ConversationEntry[] = [];
  let repeat: readonly ToolCall[] = [];
  let last: readonly ToolCall[] = [];
  for (const entry of conversation) {
    if (entry.role === 'assistant') {
      if (repeat.length === 0) {
        heard.push(entry);
      }
      [last, repeat] = [entry.toolCalls, []];
    } else if (entry.role === 'tool' && entry.text === PUT_OFF) {
      repeat = [...repeat, ...last.filter(({ id }) => id === entry.callId)];
    } else {
      heard.push(entry);
    }
  }
  return { repeat, heard };
}
