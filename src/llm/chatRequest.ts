/** A model request in the words of the OpenAI chat completions API. */
import type OpenAI from 'openai';
import type { ConversationEntry, ToolCall } from '../domain/conversation.ts';
import { PLANNING_TASK_KEY } from '../domain/plan.ts';
import type { ModelRequest } from '../ports.ts';

/** What a server understands; the first refusal teaches us. */
export interface Dialect {
  /** Whether `stream_options` may ask for the usage at the end of a stream. */
  readonly usageInStream: boolean;
  /** OpenAI's newer models refuse the old name, most other servers know only the old one. */
  readonly outputLimitName: 'max_tokens' | 'max_completion_tokens';
}

export const FIRST_DIALECT: Dialect = { usageInStream: true, outputLimitName: 'max_tokens' };

type ChatBody = OpenAI.Chat.Completions.ChatCompletionCreateParamsStreaming;
type ChatMessage = OpenAI.Chat.Completions.ChatCompletionMessageParam;

export function chatBody(model: string, request: ModelRequest, dialect: Dialect): ChatBody {
  return {
    model,
    messages: request.conversation.map(toMessage),
    stream: true,
    [dialect.outputLimitName]: request.maxOutputTokens,
    ...(dialect.usageInStream ? { stream_options: { include_usage: true } } : {}),
    // Servers refuse an empty list.
    ...(request.tools.length > 0
      ? { tools: request.tools.map((tool) => ({ type: 'function' as const, function: { ...tool } })) }
      : {}),
  };
}

/** Who asks and for which task, so that gateways can attribute cost. */
export function attributionHeaders({ purpose }: ModelRequest): Record<string, string> {
  return {
    'x-devsquad-agent': `${purpose.role}/${purpose.agentId}`,
    'x-devsquad-task': purpose.taskKey === PLANNING_TASK_KEY ? PLANNING_TASK_KEY : purpose.taskId,
  };
}

function toMessage(entry: ConversationEntry): ChatMessage {
  switch (entry.role) {
    case 'system':
    case 'user':
      return { role: entry.role, content: entry.text };
    case 'assistant':
      return entry.toolCalls.length > 0
        ? { role: 'assistant', content: entry.text || null, tool_calls: entry.toolCalls.map(toFunctionCall) }
        : { role: 'assistant', content: entry.text };
    case 'tool':
      return { role: 'tool', tool_call_id: entry.callId, content: entry.text };
  }
}

function toFunctionCall(call: ToolCall) {
  // Servers parse old calls again and refuse the whole request over a broken one; the tool's answer said what was wrong.
  const text = isJson(call.argumentsText) ? call.argumentsText : '{}';
  return { id: call.id, type: 'function' as const, function: { name: call.name, arguments: text } };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
