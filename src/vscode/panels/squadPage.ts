/** The life of one page that shows a squad, in whatever holds its webview: HTML, messages, visibility, a squad that changes. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { DisposableStore } from '../../base/disposable.ts';
import type { Event } from '../../base/emitter.ts';
import type { ViewedSquad } from '../../control/sharedSquad.ts';
import { ViewServer } from '../../control/viewServer.ts';
import type { Clock, Logger } from '../../ports.ts';
import { viewRequestSchema, type HostMessage, type ViewCommand } from '../../protocol/messages.ts';
import { viewHtml } from './viewHtml.ts';

export interface SquadPageOptions {
  readonly extensionUri: vscode.Uri;
  /** The squad that is open in this window. */
  readonly squad: () => ViewedSquad | undefined;
  /** Fires when `squad` has another answer than before. */
  readonly onDidChangeSquad: Event<void>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  /** Runs a command of the editor, which asks the person itself. */
  readonly execute: (command: ViewCommand) => void | Promise<void>;
}

const NO_SQUAD =
  'No squad is open in this window. DevSquad opens it when it starts or with the first run; if it cannot, it says why.';

export class SquadPage implements vscode.Disposable {
  private readonly o: SquadPageOptions;
  private readonly panel: vscode.WebviewPanel;
  private readonly owned = new DisposableStore();
  private server: ViewServer | undefined;
  /** Whether the page has said that it is there. */
  private isReady = false;

  /** Takes the panel over: it has been made, or VS Code restored it. `dispose` does not close it. */
  constructor(panel: vscode.WebviewPanel, title: string, options: SquadPageOptions) {
    this.o = options;
    this.panel = panel;
    const folder = vscode.Uri.joinPath(options.extensionUri, 'dist', 'webview');
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    this.owned.add(
      webview.onDidReceiveMessage((value: unknown) => {
        this.receive(value);
      }),
    );
    this.owned.add(
      panel.onDidChangeViewState(() => {
        this.server?.setVisible(panel.visible);
      }),
    );
    this.owned.add(
      options.onDidChangeSquad(() => {
        this.serve();
      }),
    );
    this.serve();
    const uri = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.html = viewHtml({
      script: uri('main.js'),
      style: uri('main.css'),
      source: webview.cspSource,
      nonce: randomBytes(16).toString('base64url'),
      styleNonce: randomBytes(16).toString('base64url'),
      title,
    });
  }

  dispose(): void {
    this.owned.dispose();
    this.server?.dispose();
  }

  /** A server for the squad that is open now; the page that is there already gets its slice from it. */
  private serve(): void {
    this.server?.dispose();
    const squad = this.o.squad();
    this.server =
      squad &&
      new ViewServer({
        ...this.o,
        squad,
        post: (message) => {
          this.post(message);
        },
      });
    this.server?.setVisible(this.panel.visible);
    if (this.isReady) {
      this.receive({ type: 'ready' });
    }
  }

  private receive(value: unknown): void {
    const request = viewRequestSchema.safeParse(value);
    this.isReady ||= request.success && request.data.type === 'ready';
    if (this.server) {
      void this.server.receive(value);
    } else if (
      request.success &&
      request.data.type === 'command' &&
      request.data.command.command === 'devsquad.startRun'
    ) {
      void this.o.execute(request.data.command);
    } else {
      this.post({ type: 'no-squad', message: NO_SQUAD });
    }
  }

  private post(message: HostMessage): void {
    // What a page that is going does not take any more is nobody's loss.
    void this.panel.webview.postMessage(message);
  }
}
