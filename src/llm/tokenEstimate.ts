/** Counting where a model door offers no tokenizer: four characters a token, rounded up. Good enough to reserve by. */
import type { ConversationEntry, ToolCall } from '../domain/conversation.ts';

const CHARACTERS_PER_TOKEN = 4;

export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Tokens of everything that a conversation says, tool calls included. */
export function estimateConversation(conversation: readonly ConversationEntry[]): number {
  return conversation.reduce((sum, entry) => sum + estimateEntry(entry), 0);
}

/** Tokens of an answer: its text and its calls. */
export function estimateAnswer(answer: { readonly text: string; readonly toolCalls: readonly ToolCall[] }): number {
  return answer.toolCalls.reduce(
    (sum, call) => sum + estimateTokens(call.name) + estimateTokens(call.argumentsText),
    estimateTokens(answer.text),
  );
}

function estimateEntry(entry: ConversationEntry): number {
  return entry.role === 'assistant' ? estimateAnswer(entry) : estimateTokens(entry.text);
}
