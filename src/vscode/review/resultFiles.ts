/** Files of a run's result as read-only documents, before and after, for VS Code's own diff editor. */
import * as vscode from 'vscode';
import { visibleText } from '../../base/visibleText.ts';
import { HumanError } from '../../domain/errors.ts';
import type { RunView } from '../../domain/squadState.ts';
import type { EditorSquad } from '../editorSquad.ts';

const SCHEME = 'devsquad-result';
const PLAIN = 'plaintext';

export class ResultFiles implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly registered: vscode.Disposable;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidOpenTextDocument(showWithoutCommands),
    );
    // Those of a window that was loaded again.
    vscode.workspace.textDocuments.forEach(showWithoutCommands);
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
      `DevSquad: ${visibleText(run.objective)}`,
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
    const bytes = await runs.fileAt(runId, side === 'before' ? 'before' : 'after', pathOf(uri));
    return bytes === undefined ? '' : new TextDecoder().decode(bytes);
  }

  dispose(): void {
    this.registered.dispose();
  }
}

/**
 * VS Code's Markdown makes a link of `[words](command:…)`, also in the source, and a click on it runs the command: what an
 * agent wrote must not get that far, so a text with such an address is shown without a language.
 */
function showWithoutCommands(document: vscode.TextDocument): void {
  if (document.uri.scheme === SCHEME && document.languageId !== PLAIN && /command:/i.test(document.getText())) {
    // A document that was closed meanwhile shows nothing.
    vscode.languages.setTextDocumentLanguage(document, PLAIN).then(undefined, () => undefined);
  }
}

/**
 * The path is the file's own, so that VS Code knows its language; where it comes from stands in the authority. VS Code shows
 * the path as it is: a name with characters that nobody sees, or that turn round what follows, is written with their code
 * points there, and the real one stands in the query.
 */
function uriOf(runId: string, side: 'before' | 'after', path: string): vscode.Uri {
  const shown = visibleText(path);
  const query = shown === path ? '' : path;
  return vscode.Uri.from({ scheme: SCHEME, authority: `${runId}.${side}`, path: `/${shown}`, query });
}

function pathOf({ path, query }: vscode.Uri): string {
  return query === '' ? path.slice(1) : query;
}
