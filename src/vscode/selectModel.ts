/** Choosing the model: the three doors in one list, best first, and the key of the OpenAI-compatible one. */
import * as vscode from 'vscode';
import { OPENAI_URL } from '../llm/openaiUrl.ts';
import { writeModel, writtenModel, type ModelChoice } from './configuration.ts';
import { API_KEY } from './editorSquad.ts';

interface ModelItem extends vscode.QuickPickItem {
  choose(): Promise<ModelChoice | undefined>;
}

/** Answers what was chosen after it stands in the settings; undefined when the person closed the list. */
export async function selectModel(secrets: vscode.SecretStorage): Promise<ModelChoice | undefined> {
  const picked = await vscode.window.showQuickPick<ModelItem>(modelItems(secrets), {
    title: 'Which model should the team use?',
    placeHolder: 'It must be able to call tools. You can change this at any time.',
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  const choice = await picked?.choose();
  if (choice) {
    await writeModel(choice);
  }
  return choice;
}

async function modelItems(secrets: vscode.SecretStorage): Promise<ModelItem[]> {
  const { listEditorModels } = await import('./editorModels.ts');
  const editorModels = (await listEditorModels())
    .filter(({ callsTools }) => callsTools !== 'no')
    .map(({ name, label, maxInputTokens }): ModelItem => ({
      label: `$(vm) ${label}`,
      description: name,
      detail: `A language model of VS Code, up to ${maxInputTokens.toLocaleString('en')} tokens at once.`,
      choose: () => Promise.resolve({ door: 'editor', name }),
    }));
  return [
    ...editorModels,
    {
      label: '$(globe) OpenAI-compatible endpoint…',
      detail:
        'OpenAI, Azure, OpenRouter, Ollama, vLLM, LM Studio and others. The key is kept in VS Code’s secret storage.',
      choose: () => askEndpoint(secrets),
    },
    {
      label: '$(play-circle) Rehearsal',
      detail: 'Prepared answers on the sample workspace, no network and no key: real tools, real edits, real tests.',
      choose: () => Promise.resolve({ door: 'rehearsal' }),
    },
  ];
}

async function askEndpoint(secrets: vscode.SecretStorage): Promise<ModelChoice | undefined> {
  // As it is written: whoever comes here may come because it cannot be read.
  const known = writtenModel();
  const baseUrl = await vscode.window.showInputBox({
    title: 'OpenAI-compatible endpoint',
    prompt: 'Address of the endpoint, with its version part',
    value: known.baseUrl === '' ? OPENAI_URL : known.baseUrl,
    ignoreFocusOut: true,
    validateInput: (text) => (/^https?:\/\/\S+$/.test(text.trim()) ? undefined : 'An http(s) address, please.'),
  });
  const name =
    baseUrl === undefined
      ? undefined
      : await vscode.window.showInputBox({
          title: 'OpenAI-compatible endpoint',
          prompt: 'Name of the model, as the endpoint knows it',
          value: /^openai:(.*)$/.exec(known.model)?.[1] ?? '',
          ignoreFocusOut: true,
          validateInput: (text) => (text.trim() === '' ? 'The endpoint needs the name of a model.' : undefined),
        });
  if (baseUrl === undefined || name === undefined) {
    return undefined;
  }
  if ((await secrets.get(API_KEY)) === undefined) {
    await setApiKey(secrets);
  }
  return { door: 'openai', name: name.trim(), baseUrl: baseUrl.trim() };
}

/** Stores the key, or removes it when the answer is empty. */
export async function setApiKey(secrets: vscode.SecretStorage): Promise<void> {
  const key = await vscode.window.showInputBox({
    title: 'API key of the OpenAI-compatible endpoint',
    prompt:
      'Kept in VS Code’s secret storage only. Leave it empty for a server that needs none; that also removes a key.',
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) {
    return;
  }
  if (key.trim() === '') {
    await secrets.delete(API_KEY);
  } else {
    await secrets.store(API_KEY, key.trim());
  }
}
