/** A run headless through the OpenAI-compatible door, whose model says prepared lines by task: for stories with trouble in them. */
import { afterPutOff, type ConversationEntry } from '../../src/domain/conversation.ts';
import type { Finished, Sandbox, Started } from './headless.ts';
import { repeatedCall } from './personas.ts';
import { ScriptedServer, type ScriptedAnswer, type ScriptedCall, type ScriptedRequest } from './scriptedServer.ts';

/** What the model says after `answers` answers; `said` is the text of what came last. */
export type Line = (said: string, answers: number, conversation: readonly ConversationEntry[]) => ScriptedAnswer;

export const call = (name: string, args: ScriptedCall['arguments']): ScriptedAnswer => ({
  text: '',
  toolCalls: [{ name, arguments: args }],
});

export const finish = (): ScriptedAnswer => call('finish_task', { summary: 'Done.' });

/** Says the lines one after the other and then the last one for ever. */
export function inOrder(...lines: readonly ScriptedAnswer[]): Line {
  return (_said, answers) => lines[Math.min(answers, lines.length - 1)] ?? finish();
}

export interface Scene {
  readonly tasks: readonly Readonly<Record<string, unknown>>[];
  /** By task key. */
  readonly lines: Readonly<Record<string, Line>>;
}

/** A task of a plan with what most stories do not care about. */
export function planTask(
  key: string,
  fields: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    key,
    title: `Task ${key}`,
    description: 'Do it.',
    role: 'coding',
    type: 'generate-code',
    writes: ['**'],
    acceptance: [],
    ...fields,
  };
}

/** Everything is approved; further arguments may end the run otherwise than by keeping its result. */
export async function playScene(sandbox: Sandbox, scene: Scene, ...args: string[]): Promise<Finished> {
  const server = await serveScene(scene);
  try {
    return await startScene(sandbox, server, ...args).finished;
  } finally {
    await server.close();
  }
}

/** The model of a scene; whoever starts it closes it. */
export function serveScene(scene: Scene): Promise<ScriptedServer> {
  return ScriptedServer.start(scriptOf(scene));
}

export function scriptOf({ tasks, lines }: Scene): (request: ScriptedRequest) => ScriptedAnswer {
  const plan = { summary: 'A story.', strategy: 'parallel', why: 'So that it happens.', tasks };
  return ({ taskId, conversation }) => {
    const line = taskId === 'plan' ? inOrder(call('submit_plan', plan)) : lines[taskId.split('.').at(-1) ?? ''];
    const { repeat, heard } = afterPutOff(conversation);
    if (repeat.length > 0) {
      return { text: '', toolCalls: repeat.map(repeatedCall) };
    }
    const answers = heard.filter(({ role }) => role === 'assistant').length;
    return line?.(heard.at(-1)?.text ?? '', answers, heard) ?? { text: 'I do not know this task.' };
  };
}

export function startScene(sandbox: Sandbox, server: ScriptedServer, ...args: string[]): Started {
  const door = ['--model', 'openai', '--base-url', server.baseUrl, '--model-name', 'scripted'];
  const common = ['--workspace', sandbox.workspace, '--approve', 'all', '--json'];
  return sandbox.start('run', 'A story', ...common, ...door, ...args);
}
