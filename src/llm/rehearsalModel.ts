/**
 * A prepared model: plays a rehearsal, with no network and no key. Its answer follows from the script, the task's key
 * and the number of answers in the conversation, never from how often it was asked, so a repeated call says the same.
 * What was put off because mail came first it calls again.
 */
import { afterPutOff, type ConversationEntry, type ModelAnswer } from '../domain/conversation.ts';
import { ModelError } from '../domain/errors.ts';
import type { Clock, LanguageModel, ModelReply, ModelRequest } from '../ports.ts';
import type { Rehearsal, RehearsalTurn } from './rehearsal.ts';
import { estimateAnswer, estimateConversation, estimateTokens } from './tokenEstimate.ts';

const WORDS_PER_DELTA = 6;

export interface RehearsalModelOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Pause before each delta, so that people can follow; 0, the default, never touches the clock. */
  readonly pauseMs?: number;
}

export class RehearsalModel implements LanguageModel {
  readonly id: string;
  readonly label = 'Rehearsal (prepared answers)';
  readonly maxInputTokens = 200_000;
  readonly maxOutputTokens = 32_000;
  private readonly rehearsal: Rehearsal;
  private readonly options: RehearsalModelOptions;

  constructor(rehearsal: Rehearsal, options: RehearsalModelOptions) {
    this.id = `rehearsal/${rehearsal.name}`;
    this.rehearsal = rehearsal;
    this.options = options;
  }

  async ask(request: ModelRequest, onText: (delta: string) => void, signal: AbortSignal): Promise<ModelReply> {
    signal.throwIfAborted();
    const answer = answerOf(this.rehearsal, request);
    for (const delta of splitIntoDeltas(answer.text)) {
      await this.pause(signal);
      signal.throwIfAborted();
      onText(delta);
    }
    await this.pause(signal);
    signal.throwIfAborted();
    const inputTokens = estimateConversation(request.conversation);
    return { answer, usage: { inputTokens, outputTokens: estimateAnswer(answer) } };
  }

  countTokens(text: string): Promise<number> {
    return Promise.resolve(estimateTokens(text));
  }

  private async pause(signal: AbortSignal): Promise<void> {
    const { clock, pauseMs = 0 } = this.options;
    await (pauseMs > 0 ? clock.sleep(pauseMs, signal) : Promise.resolve());
  }
}

function answerOf(rehearsal: Rehearsal, request: ModelRequest): ModelAnswer {
  const { taskKey } = request.purpose;
  const answers = ({ role }: ConversationEntry): boolean => role === 'assistant';
  const number = request.conversation.filter(answers).length + 1;
  const { repeat, heard } = afterPutOff(request.conversation);
  const turn = repeat.length > 0 ? undefined : turnAt(rehearsal, taskKey, heard.filter(answers).length);
  const calls = turn?.toolCalls.map((call) => ({ name: call.name, argumentsText: JSON.stringify(call.arguments) }));
  const toolCalls = (calls ?? repeat).map(({ name, argumentsText }, position) => ({
    id: `${taskKey}-${number}-${position + 1}`,
    name,
    argumentsText,
  }));
  return {
    text: turn?.text ?? '',
    toolCalls,
    finishReason: toolCalls.length > 0 ? 'tool-calls' : 'stop',
  };
}

function turnAt(rehearsal: Rehearsal, taskKey: string, index: number): RehearsalTurn {
  const turns = Object.hasOwn(rehearsal.script, taskKey) ? rehearsal.script[taskKey] : undefined;
  if (!turns) {
    const known = Object.keys(rehearsal.script).join(', ');
    throw new ModelError(
      'refused',
      `The rehearsal “${rehearsal.name}” has prepared answers for the tasks ${known} only, none for “${taskKey}”. Run it with its own plan, or choose another model.`,
    );
  }
  const turn = turns[index];
  if (!turn) {
    throw new ModelError(
      'refused',
      `The rehearsal “${rehearsal.name}” has ${turns.length} prepared answers for the task “${taskKey}”, and all are given. Something went differently than prepared, in a changed copy of the sample workspace for example: start again with a fresh one, or choose another model.`,
    );
  }
  return turn;
}

/** A few words each; joined they are the text again. */
function splitIntoDeltas(text: string): string[] {
  return text.match(new RegExp(`(?:\\S+\\s*){1,${WORDS_PER_DELTA}}|\\s+`, 'g')) ?? [];
}
