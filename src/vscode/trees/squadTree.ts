/** A view that draws a part of the living state anew whenever that changes. What a node is, each view says. */
import * as vscode from 'vscode';
import { visibleText } from '../../base/visibleText.ts';
import type { SquadView } from '../../domain/squadState.ts';
import type { EditorSquad } from '../editorSquad.ts';

export interface TreeNode {
  /** Stays the same while the thing lives, so that VS Code keeps selection and folding. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: vscode.ThemeIcon;
  /** State and kind, for the menus in package.json. */
  readonly context?: string;
  readonly command?: vscode.Command;
  /** What a screen reader says; label and description where nothing is said. */
  readonly spoken?: string;
  readonly children?: readonly TreeNode[];
  readonly folded?: boolean;
  /** What commands on this node are given. */
  readonly subject?: TreeSubject;
}

/** The thing a command of a context menu is about. */
export interface TreeSubject {
  readonly runId?: string;
  readonly requestId?: string;
  readonly agentId?: string;
  readonly messageId?: string;
}

export interface TreeLook {
  readonly nodes: readonly TreeNode[];
  /** Beside the view's title. */
  readonly summary?: string;
  readonly badge?: { readonly value: number; readonly tooltip: string };
}

export class SquadTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<undefined>();
  private readonly squad: EditorSquad;
  private readonly draw: (state: SquadView) => TreeLook;
  private readonly view: vscode.TreeView<TreeNode>;
  private readonly listening: vscode.Disposable;
  private nodes: readonly TreeNode[] = [];

  readonly onDidChangeTreeData = this.changes.event;

  constructor(id: string, squad: EditorSquad, draw: (state: SquadView) => TreeLook) {
    this.squad = squad;
    this.draw = draw;
    this.view = vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: false });
    this.listening = squad.onDidChange(() => {
      this.refresh();
    });
    this.refresh();
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const collapsible = node.children
      ? node.folded
        ? vscode.TreeItemCollapsibleState.Collapsed
        : vscode.TreeItemCollapsibleState.Expanded
      : vscode.TreeItemCollapsibleState.None;
    const item = new vscode.TreeItem(oneLine(node.label), collapsible);
    item.id = node.id;
    const spoken = node.spoken ?? [node.label, node.description].filter(Boolean).join(', ');
    item.accessibilityInformation = { label: oneLine(spoken) };
    Object.assign(item, {
      ...(node.description === undefined ? {} : { description: oneLine(node.description) }),
      ...(node.tooltip === undefined ? {} : { tooltip: visibleText(node.tooltip) }),
      ...(node.icon ? { iconPath: node.icon } : {}),
      ...(node.context === undefined ? {} : { contextValue: node.context }),
      ...(node.command ? { command: node.command } : {}),
    });
    return item;
  }

  getChildren(node?: TreeNode): TreeNode[] {
    return [...(node ? (node.children ?? []) : this.nodes)];
  }

  dispose(): void {
    this.listening.dispose();
    this.view.dispose();
    this.changes.dispose();
  }

  private refresh(): void {
    const { state } = this.squad;
    const { nodes, summary, badge }: TreeLook = state ? this.draw(state) : { nodes: [] };
    this.nodes = nodes;
    this.view.description = summary ?? '';
    this.view.badge = badge && badge.value > 0 ? badge : undefined;
    this.changes.fire(undefined);
  }
}

/** What a model or a file says, as a row can show it. */
function oneLine(text: string): string {
  return visibleText(text)
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
}
