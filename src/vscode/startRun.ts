/** From an objective to a run: asks for what is missing, in VS Code's own inputs, and starts. */
import * as vscode from 'vscode';
import { choicesOf, requirePrices, type RunOptions } from '../domain/run.ts';
import { parseStartRequest } from '../protocol/startRequest.ts';
import { parseModel, readModel, readSettings, writtenModel, type ModelChoice } from './configuration.ts';
import { EditorModel } from './editorModel.ts';
import type { EditorSquad } from './editorSquad.ts';
import { selectModel } from './selectModel.ts';

/** Extensions may sign in somewhere before they answer. */
const MODEL_PATIENCE_MS = 60_000;

/** Starts a run, or answers undefined when the person closed one of the inputs. */
export async function startRun(
  squad: EditorSquad,
  secrets: vscode.SecretStorage,
  argument: unknown,
): Promise<{ runId: string } | undefined> {
  const request = argument === undefined ? undefined : parseStartRequest(argument);
  // Before anything is asked that would be in vain.
  squad.usableFolders();
  const settings = readSettings();
  const chosen =
    request?.model === undefined
      ? (readModel() ?? (await selectModel(secrets)))
      : parseModel(request.model, writtenModel().baseUrl);
  if (!chosen) {
    return undefined;
  }
  const objective = request?.objective ?? (await askObjective(squad, chosen));
  if (objective === undefined) {
    return undefined;
  }
  const model = chosen.door === 'rehearsal' ? await rehearsalOf(squad, objective) : chosen;
  const approve = request?.approve;
  const workspacePolicy = await squad.workspacePolicy();
  const mcpServers = await squad.mcpServers(settings.mcpServers);
  // A rehearsal answers always, and every role of it.
  const { roleModels, fallback } = model.door === 'rehearsal' ? {} : settings;
  const options: RunOptions = {
    model,
    ...(roleModels ? { roleModels } : {}),
    ...(fallback ? { fallback } : {}),
    prices: await squad.pricesFor(choicesOf({ model, roleModels, fallback }), settings.prices),
    maxAgents: settings.maxAgents,
    budget: { ...settings.budget, ...request?.budget },
    ...(settings.envelopes ? { envelopes: settings.envelopes } : {}),
    warnAtPercent: settings.warnAtPercent,
    ...(settings.requestMinutes === undefined ? {} : { requestMinutes: settings.requestMinutes }),
    // Whoever works in the editor is asked before a limit ends the run.
    asksToRaise: true,
    limits: settings.limits,
    approve: settings.approve.filter((scope) => approve === undefined || approve.includes(scope)),
    allowedCommands: [...settings.allowedCommands],
    allowedHosts: [...settings.allowedHosts],
    ...(workspacePolicy ? { workspacePolicy } : {}),
    ...(mcpServers.length > 0 ? { mcpServers } : {}),
    // In the editor the person decides when it is done.
    atEnd: { kind: 'keep' },
  };
  requirePrices(options);
  // A model that is not there is said before anything begins. And VS Code's question whether it may be used comes now that
  // the person has just asked for the run, for the fallback too, and not in the middle of the work.
  for (const each of choicesOf(options)) {
    const selected = await (await squad.models()).select(each, AbortSignal.timeout(MODEL_PATIENCE_MS));
    if (selected instanceof EditorModel) {
      await selected.askConsent();
    }
  }
  const { runs } = await squad.open();
  const runId = await runs.start(objective, options);
  squad.noteStart(runId);
  return { runId };
}

async function rehearsalOf(squad: EditorSquad, objective: string): Promise<ModelChoice> {
  const { name } = await (await squad.models()).rehearsalFor(objective);
  return { door: 'rehearsal', name };
}

async function askObjective(squad: EditorSquad, model: ModelChoice): Promise<string | undefined> {
  if (model.door === 'rehearsal') {
    const rehearsals = await (await squad.models()).rehearsalObjectives();
    return vscode.window.showQuickPick(rehearsals, {
      title: 'Start a run (rehearsal)',
      placeHolder: 'A rehearsal plays prepared answers on the sample workspace: real tools, real edits, real tests.',
      ignoreFocusOut: true,
    });
  }
  return vscode.window.showInputBox({
    title: 'Start a run',
    prompt: 'What should the team do? You see the plan before anything is written.',
    placeHolder: 'Rate-limit the public API per key',
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? 'Say what the team should do.' : undefined),
  });
}
