/**
 * An extension for tests that brings language models to VS Code, vendor `scripted`. Every answer is a function of the
 * request, never of how often something was asked.
 */
import * as vscode from 'vscode';
import { estimateTokens } from '../../../src/llm/tokenEstimate.ts';
import { builtInModels } from './builtInModels.ts';
import { playFault } from './editorFaults.ts';
import { readRequest, type EditorRequest } from './editorRequest.ts';
import type { EditorAnswer, EditorScript } from './editorScript.ts';

export interface ModelTraits {
  readonly maxInputTokens?: number;
  readonly toolCalling?: boolean;
  /** Before all others in the list of models. */
  readonly isFirst?: boolean;
  /** VS Code asks the person before another extension may use it. */
  readonly needsConsent?: boolean;
  /** What the model says when it is asked to count a text; a quarter of its characters where nothing is given. */
  readonly countTokens?: (text: string) => number | Promise<number>;
}

/** What `activate` returns: tests inside the extension host reach it as the extension's exports. */
export interface ScriptedModels {
  /** Every request so far, oldest first. */
  readonly requests: readonly EditorRequest[];
  /** Adds a model, which is `scripted/ID` from now on, or replaces it. Disposing of it takes it off the list. */
  addModel(id: string, script: EditorScript, traits?: ModelTraits): vscode.Disposable;
  /** Until it is disposed of, there are no models, or VS Code waits for the list in vain. */
  changeList(how: 'empty' | 'silent'): vscode.Disposable;
}

export async function activate(context: vscode.ExtensionContext): Promise<ScriptedModels> {
  const provider = new ScriptedProvider();
  for (const [id, script] of await builtInModels()) {
    provider.addModel(id, script, { needsConsent: id === 'guarded' });
  }
  context.subscriptions.push(vscode.lm.registerLanguageModelChatProvider('scripted', provider));
  // VS Code looks for models only when somebody wants one, and until then its chat refuses everything.
  await vscode.lm.selectChatModels({ vendor: 'scripted' });
  return provider;
}

interface ScriptedModel {
  readonly script: EditorScript;
  readonly traits: ModelTraits;
}

const FULL_LIST = { isEmpty: false, ready: Promise.resolve(undefined) };

class ScriptedProvider implements vscode.LanguageModelChatProvider, ScriptedModels {
  readonly requests: EditorRequest[] = [];
  private readonly models = new Map<string, ScriptedModel>();
  private list = FULL_LIST;
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeLanguageModelChatInformation = this.changed.event;

  addModel(id: string, script: EditorScript, traits: ModelTraits = {}): vscode.Disposable {
    this.models.set(id, { script, traits });
    this.changed.fire();
    return new vscode.Disposable(() => {
      this.removeModel(id);
    });
  }

  changeList(how: 'empty' | 'silent'): vscode.Disposable {
    const end = Promise.withResolvers<undefined>();
    this.list = { isEmpty: how === 'empty', ready: how === 'silent' ? end.promise : Promise.resolve(undefined) };
    this.changed.fire();
    return new vscode.Disposable(() => {
      this.list = FULL_LIST;
      end.resolve(undefined);
      this.changed.fire();
    });
  }

  async provideLanguageModelChatInformation(): Promise<vscode.LanguageModelChatInformation[]> {
    const { isEmpty, ready } = this.list;
    await ready;
    const models = isEmpty ? [] : [...this.models];
    models.sort(([, one], [, other]) => Number(other.traits.isFirst ?? false) - Number(one.traits.isFirst ?? false));
    return models.map(([id, { traits }]) => ({
      id,
      name: `Scripted ${id}`,
      family: 'scripted',
      version: '1',
      maxInputTokens: traits.maxInputTokens ?? 100_000,
      maxOutputTokens: 8_000,
      capabilities: { toolCalling: traits.toolCalling ?? true },
      // Of the proposed API `chatProvider`; plain VS Code passes over it.
      ...(traits.needsConsent ? { requiresAuthorization: { label: 'Scripted account' } } : {}),
    }));
  }

  async provideLanguageModelChatResponse(
    { id }: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const request = readRequest(id, messages, options);
    this.requests.push(request);
    const answer = this.modelOf(id).script(request);
    if ('fault' in answer) {
      const vanish = (): void => {
        this.removeModel(id);
      };
      await playFault(answer, { progress, token, vanish });
    } else {
      say(answer, request, progress);
    }
  }

  async provideTokenCount(
    { id }: vscode.LanguageModelChatInformation,
    text: string | vscode.LanguageModelChatRequestMessage,
  ): Promise<number> {
    const plain = typeof text === 'string' ? text : JSON.stringify(text.content);
    return (this.modelOf(id).traits.countTokens ?? estimateTokens)(plain);
  }

  private modelOf(id: string): ScriptedModel {
    const model = this.models.get(id);
    if (!model) {
      throw vscode.LanguageModelError.NotFound(`There is no scripted model ${id}`);
    }
    return model;
  }

  private removeModel(id: string): void {
    this.models.delete(id);
    this.changed.fire();
  }
}

function say(
  { text = '', toolCalls = [] }: EditorAnswer,
  { conversation }: EditorRequest,
  progress: vscode.Progress<vscode.LanguageModelResponsePart>,
): void {
  for (const piece of text.match(/[^]{1,24}/gu) ?? []) {
    progress.report(new vscode.LanguageModelTextPart(piece));
  }
  const turn = conversation.filter((entry) => entry.role === 'assistant').length + 1;
  for (const [position, call] of toolCalls.entries()) {
    // A script may say text instead of an object, and VS Code hands it on as it is.
    const input = call.arguments as object;
    progress.report(new vscode.LanguageModelToolCallPart(`call_${turn}_${position + 1}`, call.name, input));
  }
}
