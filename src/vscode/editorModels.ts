/** The models that VS Code has: which there are, and the one that a run uses. */
import * as vscode from 'vscode';
import { HumanError } from '../domain/errors.ts';
import { EditorModel } from './editorModel.ts';
import { settleWithin } from './settleWithin.ts';

/** Extensions may sign in somewhere before they know their models. */
const ANSWER_MS = 30_000;
/** In a message for a person. */
const MOST_NAMES = 8;

export interface EditorModelChoice {
  /** `vendor/id`, as runs and settings name it. */
  readonly name: string;
  readonly label: string;
  readonly family: string;
  readonly maxInputTokens: number;
  /** `unknown` where VS Code does not tell. */
  readonly callsTools: 'yes' | 'no' | 'unknown';
}

/** In VS Code's order; empty when there are none. Rejects with a HumanError when VS Code does not answer. */
export async function listEditorModels(signal?: AbortSignal): Promise<EditorModelChoice[]> {
  const chats = await queryModels({}, signal);
  return chats.map((chat) => ({
    name: nameOf(chat),
    label: chat.name,
    family: chat.family,
    maxInputTokens: chat.maxInputTokens,
    callsTools: callsTools(chat),
  }));
}

/**
 * The model of that name, without one the first that may be able to call tools. Rejects with a HumanError when there is
 * none, and with the signal's reason.
 */
export async function selectEditorModel(name: string | undefined, signal: AbortSignal): Promise<EditorModel> {
  signal.throwIfAborted();
  const chats = await queryModels(name === undefined ? {} : selectorOf(name), signal);
  const chat = chats.find((candidate) => callsTools(candidate) !== 'no');
  if (chat) {
    return new EditorModel(chat);
  }
  throw chats[0] ? cannotCallTools(name ?? nameOf(chats[0])) : await notThere(name, signal);
}

function cannotCallTools(name: string): HumanError {
  return new HumanError(
    `The model ${name} of VS Code cannot call tools, without which agents can do nothing. Choose another one with DevSquad: Select Model.`,
  );
}

async function notThere(name: string | undefined, signal: AbortSignal): Promise<HumanError> {
  const others = name === undefined ? [] : await queryModels({}, signal);
  return new HumanError(
    others.length === 0
      ? 'No language model is available in VS Code: sign in to Copilot or install an extension that brings models, or choose another door with DevSquad: Select Model.'
      : `VS Code has no language model ${name ?? ''}, only ${listOf(others)}. Sign in where it comes from, or choose another one with DevSquad: Select Model.`,
  );
}

/** Some vendors have hundreds. */
function listOf(chats: readonly vscode.LanguageModelChat[]): string {
  return `${chats.slice(0, MOST_NAMES).map(nameOf).join(', ')}${chats.length > MOST_NAMES ? ' and others' : ''}`;
}

async function queryModels(
  selector: vscode.LanguageModelChatSelector,
  signal?: AbortSignal,
): Promise<vscode.LanguageModelChat[]> {
  try {
    return await settleWithin(ANSWER_MS, vscode.lm.selectChatModels(selector), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new HumanError(
      'VS Code does not say which language models it has. Reload the window and try again, or choose another door with DevSquad: Select Model.',
      { cause: error },
    );
  }
}

/** Only the id may hold slashes; a name without any is the id of whichever vendor has it. */
function selectorOf(name: string): vscode.LanguageModelChatSelector {
  const slash = name.indexOf('/');
  return slash < 0 ? { id: name } : { vendor: name.slice(0, slash), id: name.slice(slash + 1) };
}

function nameOf({ vendor, id }: vscode.LanguageModelChat): string {
  return `${vendor}/${id}`;
}

/**
 * The API of 1.104 has no word for whether a model can call tools. Newer VS Codes put `capabilities.supportsToolCalling`
 * on the model, which is read where it lies open; elsewhere the first request shows it.
 */
function callsTools(chat: vscode.LanguageModelChat): EditorModelChoice['callsTools'] {
  // Never a getter: those of proposed API throw.
  const capabilities: unknown = Object.getOwnPropertyDescriptor(chat, 'capabilities')?.value;
  if (typeof capabilities !== 'object' || capabilities === null || !('supportsToolCalling' in capabilities)) {
    return 'unknown';
  }
  return capabilities.supportsToolCalling === false ? 'no' : 'yes';
}
