/** What a scripted model of VS Code is asked, read out of the messages alone: this door has no headers. */
import * as vscode from 'vscode';
import type { ConversationEntry } from '../../../src/domain/conversation.ts';
import { PLANNING_TASK_KEY } from '../../../src/domain/plan.ts';

export interface EditorRequest {
  readonly modelId: string;
  /** `planning`, `coding` and so on; empty where the system part does not say. */
  readonly role: string;
  readonly agentId: string;
  /** The task's key, `plan` while planning; empty where the brief does not say. */
  readonly taskId: string;
  /** Names of the tools that are offered. */
  readonly tools: readonly string[];
  readonly conversation: readonly ConversationEntry[];
  /** As VS Code handed them on. */
  readonly messages: readonly vscode.LanguageModelChatRequestMessage[];
  readonly options: vscode.ProvideLanguageModelChatResponseOptions;
}

export function readRequest(
  modelId: string,
  messages: readonly vscode.LanguageModelChatRequestMessage[],
  options: vscode.ProvideLanguageModelChatResponseOptions,
): EditorRequest {
  const conversation = separateSystem(messages.flatMap(toEntries));
  const textOf = (role: 'system' | 'user'): string =>
    conversation.flatMap((entry) => (entry.role === role ? [entry.text] : []))[0] ?? '';
  const [, agentId = '', role = ''] = /^You are (\S+), a (\w+) agent/.exec(textOf('system')) ?? [];
  const tools = (options.tools ?? []).map(({ name }) => name);
  return { modelId, role, agentId, taskId: taskOf(textOf('user')), tools, conversation, messages, options };
}

function taskOf(brief: string): string {
  return brief.startsWith('The objective:') ? PLANNING_TASK_KEY : (/^Task (\S+): /.exec(brief)?.[1] ?? '');
}

function separateSystem(entries: readonly ConversationEntry[]): ConversationEntry[] {
  const [first, ...others] = entries;
  const marked =
    first?.role === 'user' &&
    /^<system-instructions>\n([^]*?)\n<\/system-instructions>(?:\n\n([^]*))?$/.exec(first.text);
  if (!marked) {
    return [...entries];
  }
  const [, system = '', user] = marked;
  return [
    { role: 'system', text: system },
    ...(user === undefined ? [] : [{ role: 'user', text: user } as const]),
    ...others,
  ];
}

function toEntries({ role, content }: vscode.LanguageModelChatRequestMessage): ConversationEntry[] {
  const text = content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
  if (role === vscode.LanguageModelChatMessageRole.Assistant) {
    const calls = content.filter((part) => part instanceof vscode.LanguageModelToolCallPart);
    const toolCalls = calls.map(({ callId, name, input }) => ({
      id: callId,
      name,
      argumentsText: JSON.stringify(input),
    }));
    return [{ role: 'assistant', text, toolCalls }];
  }
  const results = content.filter((part) => part instanceof vscode.LanguageModelToolResultPart);
  return [
    ...results.map(({ callId, content: parts }): ConversationEntry => ({ role: 'tool', callId, text: joined(parts) })),
    ...(text === '' ? [] : [{ role: 'user', text } as const]),
  ];
}

function joined(parts: readonly unknown[]): string {
  return parts.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
}
