/**
 * Models with a character, for tests of the squad: each plays a rehearsal, and each answer is a function of the
 * conversation so far. *Good* says the lines as they are. *Sloppy* does the same work in the end, but slips on the way, and
 * gets over a slip only when the answer to it says what to do instead: with a runtime that stays vague it never ends.
 */
import { afterPutOff, type ConversationEntry, type ToolCall } from '../../src/domain/conversation.ts';
import { PLANNING_TASK_KEY } from '../../src/domain/plan.ts';
import type { Rehearsal, RehearsalTurn } from '../../src/llm/rehearsal.ts';
import type { Script, ScriptedAnswer, ScriptedCall } from './scriptedServer.ts';

export interface PersonaRequest {
  /** A task's id or key, `plan` while planning. */
  readonly taskId: string;
  readonly conversation: readonly ConversationEntry[];
}

export interface PersonaAnswer {
  readonly text: string;
  readonly toolCalls: readonly ScriptedCall[];
}

export type Persona = (request: PersonaRequest) => PersonaAnswer;

export function goodPersona(rehearsal: Rehearsal): Persona {
  return resuming(({ taskId, conversation }) => {
    const { key, turns } = scriptOf(rehearsal, taskId);
    return turnAt(turns, key, countAnswers(conversation));
  });
}

export function sloppyPersona(rehearsal: Rehearsal): Persona {
  return resuming(({ taskId, conversation }) => {
    const { key, turns } = scriptOf(rehearsal, taskId);
    const steps = turns.flatMap((turn, index) => [...slipsBefore(turns, index, key), { answer: turn }]);
    let position = 0;
    for (const reaction of reactions(conversation)) {
      const step = steps[position];
      position += step?.curedBy === undefined || step.curedBy.test(reaction) ? 1 : 0;
    }
    return turnAt(
      steps.map((step) => step.answer),
      key,
      position,
    );
  });
}

/** Calls again what was put off because mail came first, and then goes on as if nothing had been. */
function resuming(persona: Persona): Persona {
  return ({ taskId, conversation }) => {
    const { repeat, heard } = afterPutOff(conversation);
    return repeat.length > 0
      ? { text: '', toolCalls: repeat.map(repeatedCall) }
      : persona({ taskId, conversation: heard });
  };
}

/** Arguments that are no JSON go out again as they were. */
export function repeatedCall({ name, argumentsText }: ToolCall): ScriptedCall {
  try {
    return { name, arguments: JSON.parse(argumentsText) as Readonly<Record<string, unknown>> };
  } catch {
    return { name, arguments: argumentsText };
  }
}

/** A persona behind the OpenAI-compatible door. */
export function serverScript(persona: Persona): Script {
  return ({ taskId, conversation }): ScriptedAnswer => persona({ taskId, conversation });
}

interface Step {
  readonly answer: PersonaAnswer;
  /** A slip: what the reaction to it must say for the next step to come. Absent where anything will do. */
  readonly curedBy?: RegExp;
}

/** What goes wrong before a turn of the script; the turn itself follows. */
function slipsBefore(turns: readonly RehearsalTurn[], index: number, key: string): Step[] {
  const turn = turns[index]!;
  const calls = (name: string) => turn.toolCalls.filter((call) => call.name === name);
  const [plan] = calls('submit_plan');
  const [edit] = calls('apply_edit');
  const [write] = calls('write_file');
  const isFirst = index === 0;
  const isLast = index === turns.length - 1;
  return [
    ...(isFirst ? [misnamed('readFile', { path: 'README.md' }, /read_file/)] : []),
    ...(isFirst && key !== PLANNING_TASK_KEY ? [{ answer: turn }, brokenArguments()] : []),
    ...(plan ? [planInProse(plan.arguments), planWithUnknownKey(plan.arguments)] : []),
    ...(edit ? [missedEdit(String(edit.arguments['path']))] : []),
    ...(write ? [misnamed('create_file', write.arguments, /write_file/)] : []),
    ...(isLast && calls('finish_task').length > 0 ? [endInProse()] : []),
  ];
}

function misnamed(name: string, args: ScriptedCall['arguments'], curedBy: RegExp): Step {
  return { answer: { text: 'Let me see.', toolCalls: [{ name, arguments: args }] }, curedBy };
}

function brokenArguments(): Step {
  const call = { name: 'read_file', arguments: '{"path": "README.md",}' };
  return {
    answer: { text: '', toolCalls: [call, { name: 'read_file', arguments: { file: 'README.md' } }] },
    curedBy: /JSON[^]*path/,
  };
}

function planInProse(plan: unknown): Step {
  const text = `Sure! Here is my plan:\n\n\`\`\`json\n${JSON.stringify(plan, null, 2)}\n\`\`\`\n\nLet me know what you think.`;
  return { answer: { text, toolCalls: [] }, curedBy: /submit_plan/ };
}

function planWithUnknownKey(plan: Readonly<Record<string, unknown>>): Step {
  const call = { name: 'submit_plan', arguments: { ...plan, effort: 'medium' } };
  return { answer: { text: 'Submitting it.', toolCalls: [call] }, curedBy: /effort/ };
}

function missedEdit(path: string): Step {
  const edits = [{ oldText: 'const thisLineWasNeverThere = true;\n', newText: '' }];
  return {
    answer: { text: 'An easy one.', toolCalls: [{ name: 'apply_edit', arguments: { path, edits } }] },
    curedBy: /oldText/,
  };
}

function endInProse(): Step {
  return {
    answer: { text: 'All done! The work is finished and everything is green.', toolCalls: [] },
    curedBy: /finish_task/,
  };
}

/** For each answer so far what the runtime and the tools said to it. */
function reactions(conversation: readonly ConversationEntry[]): string[] {
  const heard: string[] = [];
  for (const entry of conversation) {
    if (entry.role === 'assistant') {
      heard.push('');
    } else if (heard.length > 0) {
      heard.push(`${heard.pop() ?? ''}\n${entry.text}`);
    }
  }
  return heard;
}

function countAnswers(conversation: readonly ConversationEntry[]): number {
  return conversation.filter((entry) => entry.role === 'assistant').length;
}

/** The script of a task: its id is the key or ends with it. */
function scriptOf(rehearsal: Rehearsal, taskId: string): { key: string; turns: readonly RehearsalTurn[] } {
  const keys = Object.keys(rehearsal.script).sort((a, b) => b.length - a.length);
  const key = keys.find((candidate) => taskId === candidate || new RegExp(`[^A-Za-z0-9]${candidate}$`).test(taskId));
  if (key === undefined) {
    throw new Error(`No task of the rehearsal fits the id ${taskId}: ${keys.join(', ')}`);
  }
  return { key, turns: rehearsal.script[key] ?? [] };
}

function turnAt(turns: readonly PersonaAnswer[], key: string, position: number): PersonaAnswer {
  const turn = turns[position];
  if (!turn) {
    throw new Error(`The persona has said all of its ${turns.length} lines for ${key}`);
  }
  return turn;
}
