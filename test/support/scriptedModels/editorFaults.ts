/** How a model of VS Code can fail: one row per fault. */
import { setTimeout as wait } from 'node:timers/promises';
import * as vscode from 'vscode';

export type EditorFault =
  /** Says `after`, if anything, then nothing more. */
  | { fault: 'silence'; after?: string; onCancelled?: () => void }
  /** Says `after`, if anything, then throws. */
  | { fault: 'error'; after?: string; error: () => Error }
  /** Says nothing at all and ends well. */
  | { fault: 'empty' }
  /** A word every so often, without end. */
  | { fault: 'slow-drip'; everyMs: number }
  /** The same for some words, whether anybody wants to hear them or not. */
  | { fault: 'deaf'; everyMs: number; words: number }
  | { fault: 'endless'; characters: number }
  /** Says something and is gone from the list of models; nothing more comes. */
  | { fault: 'vanish' }
  /** Hands on parts of whatever form. */
  | { fault: 'parts'; parts: readonly vscode.LanguageModelResponsePart[] };

export interface FaultRequest {
  readonly progress: vscode.Progress<vscode.LanguageModelResponsePart>;
  readonly token: vscode.CancellationToken;
  /** Takes the model that is asked off the list. */
  vanish(): void;
}

/** Settles as the provider's answer does; what never ends by itself ends when it is cancelled. */
export async function playFault(fault: EditorFault, request: FaultRequest): Promise<void> {
  const { progress, token } = request;
  const say = (text: string): void => {
    progress.report(new vscode.LanguageModelTextPart(text));
  };
  switch (fault.fault) {
    case 'silence':
      sayFirst(fault.after, say);
      await cancelled(token);
      fault.onCancelled?.();
      return;
    case 'error':
      sayFirst(fault.after, say);
      throw fault.error();
    case 'empty':
      return;
    case 'slow-drip':
      while (!token.isCancellationRequested) {
        say('drip ');
        await wait(fault.everyMs);
      }
      return;
    case 'deaf':
      for (let said = 0; said < fault.words; said++) {
        say('drip ');
        await wait(fault.everyMs);
      }
      return;
    case 'endless':
      for (let said = 0; said < fault.characters && !token.isCancellationRequested; said += 100_000) {
        say('x'.repeat(100_000));
        await wait(0);
      }
      return;
    case 'vanish':
      say('I was about to');
      request.vanish();
      return cancelled(token);
    case 'parts':
      for (const part of fault.parts) {
        progress.report(part);
      }
  }
}

function sayFirst(text: string | undefined, say: (text: string) => void): void {
  if (text !== undefined) {
    say(text);
  }
}

function cancelled(token: vscode.CancellationToken): Promise<void> {
  return new Promise((resolve) => {
    token.onCancellationRequested(() => {
      resolve();
    });
  });
}
