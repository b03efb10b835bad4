/** A request that is too long for a dialog, as a document to read to its end, with the way to its answer above it. */
import * as vscode from 'vscode';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestRecord } from '../domain/approval.ts';
import type { ShownRequests } from '../inbox/inbox.ts';
import type { EditorSquad } from './editorSquad.ts';

const SCHEME = 'devsquad-request';
/** What a dialog of any system shows without being scrolled. */
const DIALOG_LINES = 24;
const DIALOG_CHARACTERS = 2000;

type Request = DeepReadonly<RequestRecord>;

/** Whether a person may overlook the end of such a text in a dialog. */
export function isTooLong(text: string): boolean {
  return text.length > DIALOG_CHARACTERS || text.split('\n').length > DIALOG_LINES;
}

export class RequestDocuments
  implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable
{
  private readonly squad: EditorSquad;
  private readonly lensChanges = new vscode.EventEmitter<void>();
  /** By address, of this window's time. */
  private readonly texts = new Map<string, string>();
  private readonly registered: vscode.Disposable;

  readonly onDidChangeCodeLenses = this.lensChanges.event;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      squad.onDidChange(() => {
        this.lensChanges.fire();
      }),
      this.lensChanges,
    );
  }

  /** Whether the request lies before the person now, in a document that is on screen. */
  isShown({ id, runId }: Pick<Request, 'id' | 'runId'>): boolean {
    const uri = uriOf(runId, id).toString();
    return vscode.window.visibleTextEditors.some(({ document }) => document.uri.toString() === uri);
  }

  async show(shown: ShownRequests): Promise<void> {
    const [{ id, runId }] = shown;
    const uri = uriOf(runId, id);
    this.texts.set(uri.toString(), await textOf(shown));
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: false });
  }

  /** A window that was opened again has the document and not its text; once it is answered the text is gone. */
  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const known = this.texts.get(uri.toString());
    const request = this.requestOf(uri);
    if (known !== undefined || !request || request.answer) {
      return known ?? 'This request waits no more.\n';
    }
    const { inbox } = await this.squad.open();
    return textOf(await inbox.show(request.id));
  }

  provideCodeLenses({ uri }: vscode.TextDocument): vscode.CodeLens[] {
    const request = this.requestOf(uri);
    const top = new vscode.Range(0, 0, 0, 0);
    if (request?.answer) {
      return [new vscode.CodeLens(top, { title: 'This needs no answer any more.', command: '' })];
    }
    return request
      ? [
          new vscode.CodeLens(top, {
            title: '$(check) Answer…',
            command: 'devsquad.answerApproval',
            arguments: [request.id],
          }),
          new vscode.CodeLens(top, {
            title: '$(circle-slash) Refuse…',
            command: 'devsquad.refuseApproval',
            arguments: [request.id],
          }),
        ]
      : [];
  }

  dispose(): void {
    this.registered.dispose();
  }

  private requestOf(uri: vscode.Uri): Request | undefined {
    const [, runId = '', requestId = ''] = uri.path.split('/');
    return this.squad.state?.runs[runId]?.requests[requestId];
  }
}

async function textOf([request, ...same]: ShownRequests): Promise<string> {
  // Only a request that is read needs its words.
  const { describeRequest } = await import('../domain/requestWords.ts');
  const { title, paragraphs } = describeRequest(request, same);
  return `${[title, ...paragraphs].join('\n\n')}\n`;
}

/** Named so that VS Code colours the lines that come and go. */
function uriOf(runId: string, requestId: string): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${runId}/${requestId}/What waits for you.diff` });
}
