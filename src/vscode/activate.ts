import * as vscode from 'vscode';

/** Called by VS Code once per window. Registers what the manifest promises and returns without waiting for anything. */
export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.window.registerTreeDataProvider('devsquad.agents', new NoAgents()));
}

/** Called by VS Code before it ends the extension host; may not be called at all. */
export function deactivate(): void {
  // Everything registered above is disposed by VS Code.
}

/** Nobody works yet: the view shows its welcome text. */
class NoAgents implements vscode.TreeDataProvider<never> {
  getChildren(): never[] {
    return [];
  }

  getTreeItem(element: never): vscode.TreeItem {
    return element;
  }
}
