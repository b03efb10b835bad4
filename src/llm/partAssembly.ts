/**
 * Puts an answer together from whole parts, as an editor hands them on: pieces of text, and calls whose arguments somebody
 * has parsed already. Refuses what is no whole answer. A door of this kind says nothing about why a model stopped, so that
 * is derived.
 */
import type { ModelAnswer, ToolCall } from '../domain/conversation.ts';
import { ModelError } from '../domain/errors.ts';
import { LONGEST_ANSWER } from './answerAssembly.ts';

/** A call as it came: extensions of all sorts make them, so nothing is believed of their types. */
export interface CallPart {
  readonly callId: unknown;
  readonly name: unknown;
  readonly input: unknown;
}

export class PartAssembly {
  private text = '';
  private length = 0;
  private readonly toolCalls: ToolCall[] = [];
  private readonly callIdPrefix: string;

  /** `callIdPrefix` begins the ids of calls that came without one. */
  constructor(callIdPrefix: string) {
    this.callIdPrefix = callIdPrefix;
  }

  /** Takes a piece of text and returns it. Throws a ModelError where it is none. */
  addText(value: unknown): string {
    if (typeof value !== 'string') {
      throw new ModelError('malformed', `The answer holds a text that is no text but ${typeof value}.`);
    }
    this.text += value;
    this.grow(value.length);
    return value;
  }

  /** Throws a ModelError where the call has no name, or arguments of which no tool could make sense. */
  addCall({ callId, name, input }: CallPart): void {
    if (typeof name !== 'string' || name === '') {
      throw new ModelError('malformed', 'The answer holds a call of a tool without a name.');
    }
    const argumentsText = argumentsTextOf(name, input);
    const hasId = typeof callId === 'string' && callId !== '';
    const id = hasId ? callId : `${this.callIdPrefix}${this.toolCalls.length + 1}`;
    this.toolCalls.push({ id, name, argumentsText });
    this.grow(name.length + argumentsText.length);
  }

  /** The whole answer. Throws a ModelError where nothing was said. */
  complete(): ModelAnswer {
    const { text, toolCalls } = this;
    if (text === '' && toolCalls.length === 0) {
      throw new ModelError('malformed', 'The answer is empty.');
    }
    return { text, toolCalls, finishReason: toolCalls.length > 0 ? 'tool-calls' : 'stop' };
  }

  /** The answer so far, which is not the whole one: it was cut because it grew longer than was asked for. */
  cutShort(): ModelAnswer {
    return { text: this.text, toolCalls: this.toolCalls, finishReason: 'length' };
  }

  private grow(characters: number): void {
    this.length += characters;
    if (this.length > LONGEST_ANSWER) {
      throw new ModelError('malformed', `The answer is longer than ${LONGEST_ANSWER} characters and was given up.`);
    }
  }
}

function argumentsTextOf(name: string, input: unknown): string {
  if (input === undefined || input === '') {
    return '{}';
  }
  // From a provider that could not parse what its model wrote: the tool says what is wrong with it, and the model mends it.
  if (typeof input === 'string') {
    return input;
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ModelError('malformed', `The answer calls “${name}” with arguments that are no object.`);
  }
  return JSON.stringify(input);
}
