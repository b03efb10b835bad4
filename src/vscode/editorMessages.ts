/**
 * A conversation in the messages of `vscode.lm`, in the form that the strictest of the providers behind it asks for: all
 * results of an answer's calls stand in the one message after it, and no text is empty.
 */
import * as vscode from 'vscode';
import type { ConversationEntry, ToolCall } from '../domain/conversation.ts';

const BEGIN = '<system-instructions>';
const END = '</system-instructions>';

/** There is no system role: those texts begin the first message, marked as what they are. */
export function toEditorMessages(conversation: readonly ConversationEntry[]): vscode.LanguageModelChatMessage[] {
  const system = conversation.flatMap((entry) => (entry.role === 'system' ? [entry.text] : []));
  const rest = conversation.filter((entry) => entry.role !== 'system');
  const [first, ...others] = rest;
  if (system.length === 0) {
    return toMessages(rest);
  }
  const instructions = mark(system.join('\n\n'));
  return first?.role === 'user'
    ? toMessages([{ role: 'user', text: `${instructions}\n\n${first.text}` }, ...others])
    : toMessages([{ role: 'user', text: instructions }, ...rest]);
}

function mark(instructions: string): string {
  // A file that is quoted in the instructions must not end them.
  return `${BEGIN}\n${instructions.replaceAll(END, '')}\n${END}`;
}

function toMessages(entries: readonly ConversationEntry[]): vscode.LanguageModelChatMessage[] {
  const messages: vscode.LanguageModelChatMessage[] = [];
  let results: vscode.LanguageModelToolResultPart[] = [];
  let remarks: vscode.LanguageModelChatMessage[] = [];
  // What was said between an answer and the last of its results comes after them.
  const flush = (): void => {
    messages.push(...(results.length > 0 ? [vscode.LanguageModelChatMessage.User(results)] : []), ...remarks);
    results = [];
    remarks = [];
  };
  for (const entry of entries) {
    if (entry.role === 'assistant') {
      flush();
      messages.push(vscode.LanguageModelChatMessage.Assistant(answerParts(entry)));
    } else if (entry.role === 'tool') {
      results.push(new vscode.LanguageModelToolResultPart(entry.callId, [textPart(entry.text)]));
    } else {
      remarks.push(vscode.LanguageModelChatMessage.User([textPart(entry.text)]));
    }
  }
  flush();
  return messages;
}

function answerParts({ text, toolCalls }: { readonly text: string; readonly toolCalls: readonly ToolCall[] }) {
  const calls = toolCalls.map(
    (call) => new vscode.LanguageModelToolCallPart(call.id, call.name, inputOf(call.argumentsText)),
  );
  return text === '' && calls.length > 0 ? calls : [textPart(text), ...calls];
}

/** Some providers refuse a request over an empty text. */
function textPart(text: string): vscode.LanguageModelTextPart {
  return new vscode.LanguageModelTextPart(text === '' ? '(nothing)' : text);
}

/** Broken arguments have no form here; what was wrong with them stands in the result of the call. */
function inputOf(argumentsText: string): object {
  try {
    const input: unknown = JSON.parse(argumentsText);
    return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  } catch {
    return {};
  }
}
