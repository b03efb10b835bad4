/** What went wrong between us and a model of VS Code, as a ModelError that says what the person can do. */
import * as vscode from 'vscode';
import { messageOf, ModelError, type ModelFailureKind } from '../domain/errors.ts';
import { kindFromText, plainDetail } from '../llm/failureText.ts';

/** A ModelError for anything that a call threw; one that is already there stays as it is. `label` names the model. */
export function toModelError(error: unknown, label: string): ModelError {
  if (error instanceof ModelError) {
    return error;
  }
  const kind = kindOf(error);
  const advice = (ADVICE[kind] ?? '$ failed.').replace('$', () => label);
  return new ModelError(kind, `${advice} (${plainDetail(messageOf(error))})`, { cause: error });
}

/** `$` stands for the model. */
const ADVICE: Partial<Record<ModelFailureKind, string>> = {
  'not-found': 'VS Code no longer has $: choose another model with DevSquad: Select Model.',
  authentication: 'VS Code does not let DevSquad use $: allow it when VS Code asks, or choose another model.',
  quota: '$ takes no more requests for now: its quota is used up or it is blocked. Wait, or choose another model.',
  'rate-limit': '$ asks to slow down.',
  'context-overflow': 'The conversation is longer than $ can take.',
  'no-tools': '$ cannot call tools; choose a model that can.',
  unreachable: '$ cannot be reached.',
  malformed: '$ gave an answer that its provider could not read.',
};

function kindOf(error: unknown): ModelFailureKind {
  if (error instanceof vscode.LanguageModelError && Object.hasOwn(KIND_BY_CODE, error.code)) {
    return KIND_BY_CODE[error.code] ?? 'server';
  }
  const name = error instanceof Error ? error.name : '';
  return KIND_BY_NAME[name] ?? kindFromText(textOf(error)) ?? kindOfOurDoor(textOf(error)) ?? 'server';
}

/** VS Code names three failures, and says that exceeded quotas are among the blocked ones. */
const KIND_BY_CODE: Readonly<Record<string, ModelFailureKind>> = {
  [vscode.LanguageModelError.NotFound.name]: 'not-found',
  [vscode.LanguageModelError.NoPermissions.name]: 'authentication',
  [vscode.LanguageModelError.Blocked.name]: 'quota',
};

/** Names of errors that have no code: the first two are Copilot's, the third is how VS Code says that somebody cancelled. */
const KIND_BY_NAME: Readonly<Record<string, ModelFailureKind>> = {
  ChatQuotaExceeded: 'quota',
  ChatRateLimited: 'rate-limit',
  Canceled: 'unreachable',
};

/** Everything else is a plain error of whichever extension brings the model. */
function kindOfOurDoor(text: string): ModelFailureKind | undefined {
  if (/ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|net::ERR|fetch failed|socket hang up/i.test(text)) {
    return 'unreachable';
  }
  return /invalid json/i.test(text) ? 'malformed' : undefined;
}

/** What a provider threw may be wrapped. */
function textOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined
    ? `${error.message} ${textOf(error.cause)}`
    : messageOf(error);
}
