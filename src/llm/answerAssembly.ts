/**
 * Puts an answer together from what an OpenAI-compatible server sends, whole or in pieces, and refuses what is not a
 * whole answer. Arguments of tool calls are collected as text and never mended.
 */
import * as z from 'zod';
import type { FinishReason, ModelAnswer, ToolCall } from '../domain/conversation.ts';
import { ModelError } from '../domain/errors.ts';
import type { ModelReply } from '../ports.ts';

/** Far beyond what any model may write in one answer; more is a server gone wild. */
export const LONGEST_ANSWER = 4_000_000;

const callPieceSchema = z.object({
  index: z.number().int().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
type CallPiece = z.infer<typeof callPieceSchema>;

const messagePieceSchema = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(callPieceSchema).nullish(),
});

const usagePieceSchema = z.object({
  prompt_tokens: z.number().int().min(0),
  completion_tokens: z.number().int().min(0),
});

/** One piece of a stream (`delta`), or a whole answer (`message`). */
const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        index: z.number().int().nullish(),
        delta: messagePieceSchema.nullish(),
        message: messagePieceSchema.nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usagePieceSchema.nullish().catch(undefined),
});

interface CallInProgress {
  readonly index: number | undefined;
  readonly id: string;
  readonly name: string;
  argumentsText: string;
}

export class AnswerAssembly {
  private text = '';
  private length = 0;
  private readonly calls: CallInProgress[] = [];
  private finish: string | undefined;
  private usage: ModelReply['usage'];
  private readonly callIdPrefix: string;

  /** `callIdPrefix` begins the ids of calls that the server gave none. */
  constructor(callIdPrefix: string) {
    this.callIdPrefix = callIdPrefix;
  }

  /** Whether the server has said that the answer is complete; what may still come is the usage. */
  get isFinished(): boolean {
    return this.finish !== undefined;
  }

  /** Takes a chunk or a whole answer and returns the text in it. Throws a ModelError where its shape is wrong. */
  add(value: unknown): string {
    const chunk = chunkSchema.safeParse(value);
    if (!chunk.success) {
      throw new ModelError('malformed', `The answer is not of the expected form: ${z.prettifyError(chunk.error)}`);
    }
    if (chunk.data.usage) {
      const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = chunk.data.usage;
      this.usage = { inputTokens, outputTokens };
    }
    const choice = chunk.data.choices?.find(({ index }) => (index ?? 0) === 0);
    const piece = choice?.delta ?? choice?.message;
    this.finish = choice?.finish_reason ?? this.finish;
    const text = `${piece?.content ?? ''}${piece?.refusal ?? ''}`;
    this.text += text;
    this.grow(text.length);
    for (const call of piece?.tool_calls ?? []) {
      this.addCall(call);
    }
    return text;
  }

  /** The whole answer. Throws a ModelError where it was cut, is empty, or a call in it is not whole. */
  complete(): ModelReply {
    if (this.finish === undefined) {
      throw new ModelError('malformed', 'The answer was cut: the stream ended before the model had finished.');
    }
    if (this.finish === 'error') {
      throw new ModelError('server', 'The provider broke off the answer with an error.');
    }
    const answer = this.answerWith(finishReasonOf(this.finish, this.calls.length > 0));
    return this.usage ? { answer, usage: this.usage } : { answer };
  }

  private answerWith(finishReason: FinishReason): ModelAnswer {
    const whole = this.calls.filter((call) => !endsInside(call.argumentsText));
    const broken = this.calls.find((call) => call.name === '' || !whole.includes(call));
    const wasCutShort = finishReason === 'length' || finishReason === 'content-filter';
    // Out of room in the middle of a call: that call is not made, and the caller sees why by the finish reason.
    if (broken && !wasCutShort) {
      throw new ModelError('malformed', `The answer holds a call of “${broken.name}” that is not whole.`);
    }
    if (this.text === '' && this.calls.length === 0 && !wasCutShort) {
      throw new ModelError('malformed', 'The answer is empty.');
    }
    const calls = whole.filter((call) => call.name !== '');
    return { text: this.text, toolCalls: this.toToolCalls(calls), finishReason };
  }

  private addCall(piece: CallPiece): void {
    const call = this.callFor(piece);
    const text = piece.function?.arguments ?? '';
    call.argumentsText += text;
    this.grow(text.length);
  }

  /** The call that a piece belongs to. A new id with a name begins one, also where a server gives all the same index. */
  private callFor({ index, id, function: called }: CallPiece): CallInProgress {
    const name = called?.name ?? '';
    const beginsCall = name !== '' && (Boolean(id) || typeof index !== 'number');
    const known =
      this.calls.find((call) => Boolean(id) && call.id === id) ??
      (beginsCall ? undefined : this.calls.findLast((call) => typeof index !== 'number' || call.index === index));
    if (known) {
      return known;
    }
    const call = { index: index ?? undefined, id: id ?? '', name, argumentsText: '' };
    this.calls.push(call);
    return call;
  }

  private toToolCalls(calls: readonly CallInProgress[]): ToolCall[] {
    return calls.map(({ id, name, argumentsText }, position) => ({
      id: id === '' ? `${this.callIdPrefix}${position + 1}` : id,
      name,
      // Some servers send nothing at all for a call without arguments.
      argumentsText: argumentsText === '' ? '{}' : argumentsText,
    }));
  }

  private grow(characters: number): void {
    this.length += characters;
    if (this.length > LONGEST_ANSWER) {
      throw new ModelError('malformed', `The answer is longer than ${LONGEST_ANSWER} characters and was given up.`);
    }
  }
}

function finishReasonOf(finish: string, hasCalls: boolean): FinishReason {
  switch (finish) {
    case 'length':
      return 'length';
    case 'content_filter':
      return 'content-filter';
    default:
      // Servers disagree on the word for a good end, and some say "stop" although they want tools.
      return hasCalls ? 'tool-calls' : 'stop';
  }
}

/** Whether a JSON text ends in the middle of a value. What is whole but wrong is left to the tool, which says so. */
function endsInside(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let position = 0; position < text.length; position++) {
    const character = text[position];
    if (inString) {
      position += character === '\\' ? 1 : 0;
      inString = character !== '"';
    } else if (character === '"') {
      inString = true;
    } else if (character === '{' || character === '[') {
      depth++;
    } else if (character === '}' || character === ']') {
      depth--;
    }
  }
  return inString || depth > 0;
}
