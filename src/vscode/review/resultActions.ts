/** What a person does with a run's result: apply, branch, discard, each confirmed once and each undoable. */
import * as vscode from 'vscode';
import { visibleText } from '../../base/visibleText.ts';
import { HumanError } from '../../domain/errors.ts';
import type { RunView } from '../../domain/squadState.ts';
import type { EditorSquad } from '../editorSquad.ts';

export async function applyChanges(squad: EditorSquad, run: RunView): Promise<void> {
  const files = filesOf(run);
  const detail = `${files.join('\n')}\n\nNothing is written when you have changed one of these meanwhile. Undo takes it back.`;
  if (await confirm(`Apply ${count(files.length)} to your working tree?`, detail, 'Apply')) {
    const { runs } = await squad.open();
    await runs.apply(run.id, 'editor');
    offerUndo(squad, run.id, `Applied ${count(files.length)}.`);
  }
}

export async function createBranch(squad: EditorSquad, run: RunView): Promise<void> {
  filesOf(run);
  const name = await vscode.window.showInputBox({
    title: 'Make a branch',
    prompt: 'The result becomes one commit on a new branch. Your working tree stays as it is.',
    value: `devsquad/${slug(run.objective)}`,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? 'A branch needs a name.' : undefined),
  });
  if (name !== undefined) {
    const { runs } = await squad.open();
    await runs.branch(run.id, name.trim(), 'editor');
    offerUndo(squad, run.id, `Made the branch ${name.trim()}.`);
  }
}

export async function discardChanges(squad: EditorSquad, run: RunView): Promise<void> {
  const detail = 'Your working tree is not touched. The result can be brought back for an hour.';
  if (await confirm('Discard the result of this run?', `${visibleText(run.objective)}\n\n${detail}`, 'Discard')) {
    const { runs } = await squad.open();
    await runs.discard(run.id, 'editor');
    offerUndo(squad, run.id, 'Discarded the result.');
  }
}

/** Takes the last of the three back. */
export async function undoResult(squad: EditorSquad, run: RunView): Promise<void> {
  const { runs } = await squad.open();
  await runs.undo(run.id, 'editor');
  void vscode.window.showInformationMessage('Taken back. The result is kept for review.');
}

function filesOf(run: RunView): string[] {
  const files = run.diff?.files ?? [];
  if (files.length === 0) {
    throw new HumanError('This run has no result to hand over: it changes no file.');
  }
  const shown = files.slice(0, 20).map(({ path, status }) => `${status} ${visibleText(path)}`);
  return files.length > shown.length ? [...shown, `and ${files.length - shown.length} more`] : shown;
}

async function confirm(question: string, detail: string, button: string): Promise<boolean> {
  return (await vscode.window.showInformationMessage(question, { modal: true, detail }, button)) === button;
}

function offerUndo(squad: EditorSquad, runId: string, message: string): void {
  void vscode.window.showInformationMessage(message, 'Undo').then((clicked) => {
    if (clicked === 'Undo') {
      return vscode.commands.executeCommand('devsquad.undoTo', runId);
    }
    return undefined;
  });
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

function slug(objective: string): string {
  const words = objective.toLowerCase().match(/[a-z0-9]+/g) ?? ['result'];
  return words.slice(0, 5).join('-').slice(0, 40);
}
