/** The dashboard as an editor tab: at most one in a window, back after a reload. */
import * as vscode from 'vscode';
import { SquadPage, type SquadPageOptions } from './squadPage.ts';

const ID = 'devsquad.dashboard';
const TITLE = 'DevSquad: Dashboard';

export class DashboardPanel implements vscode.Disposable {
  private readonly options: SquadPageOptions;
  private readonly serializer: vscode.Disposable;
  private open: { readonly panel: vscode.WebviewPanel; readonly page: SquadPage } | undefined;

  constructor(options: SquadPageOptions) {
    this.options = options;
    this.serializer = vscode.window.registerWebviewPanelSerializer(ID, {
      deserializeWebviewPanel: (panel) => {
        this.adopt(panel);
        return Promise.resolve();
      },
    });
  }

  /** Shows the dashboard: the one that is open, or a new one in the active column. */
  openDashboard(): void {
    if (this.open) {
      this.open.panel.reveal();
    } else {
      this.adopt(vscode.window.createWebviewPanel(ID, TITLE, vscode.ViewColumn.Active));
    }
  }

  /** Tabs stay: VS Code restores them when the extension is back. */
  dispose(): void {
    this.serializer.dispose();
    this.open?.page.dispose();
    this.open = undefined;
  }

  private adopt(panel: vscode.WebviewPanel): void {
    this.open?.panel.dispose();
    const open = { panel, page: new SquadPage(panel, TITLE, this.options) };
    this.open = open;
    panel.onDidDispose(() => {
      open.page.dispose();
      if (this.open === open) {
        this.open = undefined;
      }
    });
  }
}
