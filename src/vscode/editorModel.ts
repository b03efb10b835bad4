/**
 * A model that VS Code has, Copilot's for example. It never retries (the gateway does), and ends every call with a whole
 * answer, a ModelError, or the signal's reason.
 *
 * This door is narrower than others: it has no headers and no limit for the length of an answer, which is cut here at our
 * count instead; it tells no usage (the caller counts), and an answer that its provider cut without an error looks like a whole one.
 */
import * as vscode from 'vscode';
import { HumanError } from '../domain/errors.ts';
import { systemClock } from '../host/clock.ts';
import { CallWatch, DEFAULT_CALL_LIMITS, type CallLimits } from '../llm/callWatch.ts';
import { AnswerMeter } from '../llm/answerMeter.ts';
import { PartAssembly } from '../llm/partAssembly.ts';
import { estimateTokens } from '../llm/tokenEstimate.ts';
import type { LanguageModel, ModelReply, ModelRequest } from '../ports.ts';
import { toEditorMessages } from './editorMessages.ts';
import { toModelError } from './editorModelFailure.ts';
import { settleWithin } from './settleWithin.ts';

type OnText = (delta: string) => void;

/** Shown by VS Code when it asks the person for consent. */
const JUSTIFICATION = 'DevSquad’s agents plan and carry out the objectives that you give them.';
const COUNT_MS = 10_000;

export class EditorModel implements LanguageModel {
  readonly id: string;
  readonly label: string;
  readonly maxInputTokens: number;
  /** VS Code does not tell; what callers reserve for an answer. */
  readonly maxOutputTokens = 16_000;
  private readonly chat: vscode.LanguageModelChat;
  private readonly limits: CallLimits;

  constructor(chat: vscode.LanguageModelChat, limits: Partial<CallLimits> = {}) {
    this.id = `editor/${chat.vendor}/${chat.id}`;
    this.label = `${chat.name} (${chat.vendor})`;
    this.maxInputTokens = chat.maxInputTokens > 0 ? chat.maxInputTokens : 128_000;
    this.chat = chat;
    this.limits = { ...DEFAULT_CALL_LIMITS, ...limits };
  }

  /**
   * Lets VS Code ask the person, where they have not said yet whether DevSquad may use this model. No request reaches the
   * model. To be called when the person has just done something: VS Code wants its question to follow from that. Rejects
   * with a HumanError where they do not allow it.
   */
  async askConsent(): Promise<void> {
    const cancellation = new vscode.CancellationTokenSource();
    // VS Code asks for consent before it looks at the token; nothing else tells whether there is consent already.
    cancellation.cancel();
    try {
      const words = [vscode.LanguageModelChatMessage.User('May DevSquad use this model?')];
      await this.chat.sendRequest(words, { justification: JUSTIFICATION }, cancellation.token);
    } catch (error) {
      if (error instanceof vscode.LanguageModelError && error.code === vscode.LanguageModelError.NoPermissions.name) {
        throw new HumanError(
          `Nothing was started: VS Code lets DevSquad use ${this.label} only when you allow it. Start the run again and choose Allow, or choose another model with DevSquad: Select Model.`,
          { cause: error },
        );
      }
      // Cancelled, as it should be. What else may be wrong with the model, its first call says.
    } finally {
      cancellation.dispose();
    }
  }

  async ask(request: ModelRequest, onText: OnText, signal: AbortSignal): Promise<ModelReply> {
    signal.throwIfAborted();
    const watch = new CallWatch(systemClock, this.limits, signal);
    const cancellation = new vscode.CancellationTokenSource();
    // The watch aborts at the end of every call, so the provider stops in every case.
    watch.signal.addEventListener('abort', () => {
      cancellation.cancel();
    });
    try {
      return await watch.guard(this.exchange(request, onText, watch, cancellation.token));
    } finally {
      cancellation.dispose();
    }
  }

  /** By the model's own count; an estimate where it gives none that could be true. Never rejects. */
  async countTokens(text: string): Promise<number> {
    if (text === '') {
      return 0;
    }
    const cancellation = new vscode.CancellationTokenSource();
    try {
      const count = await settleWithin(COUNT_MS, this.chat.countTokens(text, cancellation.token));
      // No tokenizer makes more tokens than there are bytes, but for a few around the text.
      return count > 0 && count <= Buffer.byteLength(text) + 64 ? Math.ceil(count) : estimateTokens(text);
    } catch {
      return estimateTokens(text);
    } finally {
      cancellation.cancel();
      cancellation.dispose();
    }
  }

  private async exchange(
    request: ModelRequest,
    onText: OnText,
    watch: CallWatch,
    token: vscode.CancellationToken,
  ): Promise<ModelReply> {
    const asked = request.conversation.filter((entry) => entry.role === 'assistant').length;
    const assembly = new PartAssembly(`call-${asked + 1}-`);
    const meter = new AnswerMeter(request.maxOutputTokens, (text) => this.countTokens(text));
    try {
      const response = await this.chat.sendRequest(
        toEditorMessages(request.conversation),
        { justification: JUSTIFICATION, ...toolOptions(request) },
        token,
      );
      for await (const part of response.stream) {
        watch.signal.throwIfAborted();
        watch.noteChunk();
        if (part instanceof vscode.LanguageModelTextPart) {
          const text: unknown = part.value;
          const share = typeof text === 'string' ? await meter.shareThatFits(text) : 1;
          onText(assembly.addText(share < 1 ? part.value.slice(0, Math.floor(part.value.length * share)) : text));
          if (share < 1) {
            return { answer: assembly.cutShort() };
          }
        } else {
          if (part instanceof vscode.LanguageModelToolCallPart) {
            if ((await meter.shareThatFits(`${part.name}${JSON.stringify(part.input)}`)) < 1) {
              return { answer: assembly.cutShort() };
            }
            assembly.addCall(part);
          }
          // Anything else, as a model's thoughts, shows only that it is alive.
          onText('');
        }
      }
      return { answer: assembly.complete() };
    } catch (error) {
      throw toModelError(error, this.label);
    }
  }
}

function toolOptions({ tools }: ModelRequest): Pick<vscode.LanguageModelChatRequestOptions, 'tools'> {
  return tools.length > 0
    ? { tools: tools.map(({ name, description, parameters }) => ({ name, description, inputSchema: parameters })) }
    : {};
}
