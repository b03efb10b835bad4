/**
 * The models that the extension brings from the start: two personas, one of them once more behind VS Code's question for
 * consent and once more with a command that needs a person, and one model for each way to fail.
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { goodPersona, sloppyPersona, type Persona } from '../personas.ts';
import { readRehearsals } from '../rehearsals.ts';
import type { EditorFault } from './editorFaults.ts';
import type { EditorScript } from './editorScript.ts';

/** As seen from `dist/test/scriptedModels`, where this runs. */
const MEDIA = path.join(import.meta.dirname, '../../../media');

export async function builtInModels(): Promise<ReadonlyMap<string, EditorScript>> {
  const [rehearsal] = await readRehearsals(MEDIA);
  if (!rehearsal) {
    throw new Error(`There is no rehearsal in ${MEDIA}`);
  }
  return new Map<string, EditorScript>([
    ['good', scriptOf(goodPersona(rehearsal))],
    ['sloppy', scriptOf(sloppyPersona(rehearsal))],
    ['guarded', scriptOf(goodPersona(rehearsal))],
    ['asking', scriptOf(asking(goodPersona(rehearsal)))],
    ...Object.entries(FAULTS).map(([id, fault]) => [id, () => fault] as const),
    ['manyCalls', () => ({ toolCalls: MANY_CALLS })],
  ]);
}

const scriptOf =
  (persona: Persona): EditorScript =>
  ({ taskId, conversation }) =>
    persona({ taskId, conversation });

/** Where it would run a command that needs nobody, it runs one that a person has to allow. */
const asking =
  (persona: Persona): Persona =>
  (request) => {
    const { text, toolCalls } = persona(request);
    const command = 'npm pkg get name';
    return {
      text,
      toolCalls: toolCalls.map((call) => (call.name === 'run_command' ? { ...call, arguments: { command } } : call)),
    };
  };

const MANY_CALLS = Array.from({ length: 200 }, () => ({ name: 'list_files', arguments: {} }));

const called = (input: unknown): EditorFault => ({
  fault: 'parts',
  // What is no object is just what these are for.
  parts: [new vscode.LanguageModelToolCallPart('call-1', 'read_file', input as object)],
});

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

const FAULTS: Readonly<Record<string, EditorFault>> = {
  silent: { fault: 'silence' },
  stalling: { fault: 'silence', after: 'Hello' },
  slow: { fault: 'slow-drip', everyMs: 10 },
  deaf: { fault: 'deaf', everyMs: 10, words: 60 },
  endless: { fault: 'endless', characters: 20_000_000 },
  vanishing: { fault: 'vanish' },
  empty: { fault: 'empty' },
  cut: { fault: 'error', after: 'I was about to', error: () => new Error('socket hang up') },
  failing: { fault: 'error', error: () => new Error('Something odd happened') },
  notFound: { fault: 'error', error: () => vscode.LanguageModelError.NotFound('It was retired') },
  noPermissions: { fault: 'error', error: () => vscode.LanguageModelError.NoPermissions('Nobody agreed') },
  blocked: { fault: 'error', error: () => vscode.LanguageModelError.Blocked('Too much of it') },
  quotaUsedUp: { fault: 'error', error: () => named('ChatQuotaExceeded', 'You are out of premium requests') },
  rateLimited: { fault: 'error', error: () => named('ChatRateLimited', 'Slow down') },
  tooLong: { fault: 'error', error: () => new Error('Message exceeds token limit.') },
  noTools: { fault: 'error', error: () => new Error('This model does not support tools') },
  cancelling: { fault: 'error', error: () => new vscode.CancellationError() },
  invalidJson: { fault: 'error', error: () => new Error('Invalid JSON for tool call') },
  brokenArguments: called(['README.md']),
  textArguments: called('{"path": "README.md",}'),
  noText: {
    fault: 'parts',
    // What is no text is just what this is for.
    parts: [new vscode.LanguageModelTextPart(7 as unknown as string)],
  },
  onlyResults: { fault: 'parts', parts: [new vscode.LanguageModelToolResultPart('call-1', [])] },
  namelessCall: { fault: 'parts', parts: [new vscode.LanguageModelToolCallPart('call-1', '', {})] },
};
