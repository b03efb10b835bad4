/** From an objective to a run: asks for what is missing, in VS Code's own inputs, and starts. */
import * as vscode from 'vscode';
import * as z from 'zod';
import { approvalScopeSchema } from '../domain/approval.ts';
import { budgetLimitsSchema } from '../domain/budget.ts';
import { UsageError } from '../domain/errors.ts';
import type { RunOptions } from '../domain/run.ts';
import { parseModel, readSettings, type ModelChoice } from './configuration.ts';
import type { EditorSquad } from './editorSquad.ts';
import { selectModel } from './selectModel.ts';

/** What `devsquad.startRun` takes from tests, keybindings and other extensions. `approve` can only tighten the setting. */
export const startRequestSchema = z.strictObject({
  objective: z.string().trim().min(1).max(20_000),
  /** `rehearsal`, `editor:VENDOR/ID` or `openai:NAME`; the setting where nothing is said. */
  model: z.string().optional(),
  budget: budgetLimitsSchema.optional(),
  approve: z.array(approvalScopeSchema).optional(),
});
export type StartRequest = z.infer<typeof startRequestSchema>;

/** Starts a run, or answers undefined when the person closed one of the inputs. */
export async function startRun(
  squad: EditorSquad,
  secrets: vscode.SecretStorage,
  argument: unknown,
): Promise<{ runId: string } | undefined> {
  const request = argument === undefined ? undefined : parseRequest(argument);
  const settings = readSettings();
  const chosen =
    request?.model === undefined
      ? (settings.model ?? (await selectModel(secrets)))
      : parseModel(request.model, vscode.workspace.getConfiguration('devsquad').get('openai.baseUrl', ''));
  if (!chosen) {
    return undefined;
  }
  const objective = request?.objective ?? (await askObjective(squad, chosen));
  if (objective === undefined) {
    return undefined;
  }
  const model = chosen.door === 'rehearsal' ? await rehearsalOf(squad, objective) : chosen;
  const approve = request?.approve;
  const options: RunOptions = {
    model,
    maxAgents: settings.maxAgents,
    budget: { ...settings.budget, ...request?.budget },
    approve: settings.approve.filter((scope) => approve === undefined || approve.includes(scope)),
    // In the editor the person decides when it is done.
    atEnd: { kind: 'keep' },
  };
  const { runs } = await squad.open();
  return { runId: await runs.start(objective, options) };
}

function parseRequest(argument: unknown): StartRequest {
  const parsed = startRequestSchema.safeParse(argument);
  if (!parsed.success) {
    throw new UsageError(`devsquad.startRun was called wrongly. ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
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
