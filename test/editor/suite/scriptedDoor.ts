/** For tests in the extension host: models of the extension test/support/scriptedModels, made up on the spot. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { CallLimits } from '../../../src/llm/callWatch.ts';
import { EditorModel } from '../../../src/vscode/editorModel.ts';
import type { EditorScript } from '../../support/scriptedModels/editorScript.ts';
import type { ModelTraits, ScriptedModels } from '../../support/scriptedModels/extension.ts';

let lastId = 0;

export async function scriptedModels(): Promise<ScriptedModels> {
  const extension = vscode.extensions.getExtension<ScriptedModels>('devsquad-test.scripted-models');
  assert.ok(extension, 'The extension with the scripted models is not loaded');
  return extension.activate();
}

export interface ScriptedDoor {
  readonly model: EditorModel;
  readonly id: string;
  /** Dispose of it to take the model away. */
  readonly addition: vscode.Disposable;
}

export async function openScripted(
  script: EditorScript,
  options: { readonly id?: string; readonly traits?: ModelTraits; readonly limits?: Partial<CallLimits> } = {},
): Promise<ScriptedDoor> {
  const models = await scriptedModels();
  const id = options.id ?? `made-up-${++lastId}`;
  const addition = models.addModel(id, script, options.traits);
  return { model: new EditorModel(await waitForModel(id), options.limits), id, addition };
}

/** VS Code learns of a new model a moment later. */
async function waitForModel(id: string): Promise<vscode.LanguageModelChat> {
  for (;;) {
    const [chat] = await vscode.lm.selectChatModels({ vendor: 'scripted', id });
    if (chat) {
      return chat;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
