/** Files of a run's result as read-only documents, before and after, for VS Code's own diff editor. */
import * as vscode from 'vscode';
import { HumanError } from '../../domain/errors.ts';
import type { RunView } from '../../domain/squadState.ts';
import type { EditorSquad } from '../editorSquad.ts';

const SCHEME = 'devsquad-result';

export class ResultFiles implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly registered: vscode.Disposable;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  /** Opens all changes of a run's result in one multi-file diff. */
  async review(run: RunView): Promise<void> {
    const files = run.diff?.files ?? [];
    if (files.length === 0) {
      throw new HumanError('There is nothing to review: the run changes no file.');
    }
    // Reading the files needs the squad at work, and a refusal should be said once, not once a file.
    await this.squad.open();
    await vscode.commands.executeCommand(
      'vscode.changes',
      `DevSquad: ${run.objective}`,
      files.map(({ path, status }) => [
        uriOf(run.id, 'after', path),
        status === 'added' ? undefined : uriOf(run.id, 'before', path),
        status === 'deleted' ? undefined : uriOf(run.id, 'after', path),
      ]),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const { runs } = await this.squad.open();
    const [runId = '', side] = uri.authority.split('.');
    const bytes = await runs.fileAt(runId, side === 'before' ? 'before' : 'after', uri.path.slice(1));
    return bytes === undefined ? '' : new TextDecoder().decode(bytes);
  }

  dispose(): void {
    this.registered.dispose();
  }
}

/** The path is the file's own, so that VS Code knows its language; where it comes from stands in the authority. */
function uriOf(runId: string, side: 'before' | 'after', path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, authority: `${runId}.${side}`, path: `/${path}` });
}
