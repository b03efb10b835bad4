/**
 * The window's squad: seen from disk until something needs it at work, then opened and owned until the window closes.
 *
 *   nothing → seen (read from disk) → open ⇄ failed (thrown away, read again when next needed)
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { Emitter } from '../base/emitter.ts';
import { HumanError, messageOf } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { OwnerRecord } from '../domain/owner.ts';
import { isUnfinished } from '../domain/run.ts';
import type { SquadView } from '../domain/squadState.ts';
import type { HostModels } from '../host/models.ts';
import type { HostOptions, OpenSquad } from '../host/openSquad.ts';
import { squadHome } from '../host/home.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import type { Logger } from '../ports.ts';
import { selectEditorModel } from './editorModels.ts';

/** Views are told of changes at most this often. */
const COALESCE_MS = 100;

export class EditorSquad implements vscode.Disposable {
  private readonly context: vscode.ExtensionContext;
  private readonly logger: Logger;
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly events = new Emitter<SquadEvent>();
  private readonly openings = new Emitter<undefined>();
  private readonly closing = new AbortController();
  private folder: string | undefined;
  private opening: Promise<OpenSquad> | undefined;
  private opened: OpenSquad | undefined;
  private seen: SquadView | undefined;
  private pendingChange: NodeJS.Timeout | undefined;

  /** Something in `state` is different; fires at most ten times a second. */
  readonly onDidChange = this.changes.event;
  /** Each event of the open squad, in order. */
  readonly onDidAppend = this.events.event;
  /** `current` is another one than before. */
  readonly onDidOpenOrClose = this.openings.event;

  constructor(context: vscode.ExtensionContext, logger: Logger) {
    this.context = context;
    this.logger = logger;
  }

  /** The open squad's state, or what was on disk when we looked; undefined where there never was a run. */
  get state(): SquadView | undefined {
    return this.opened?.ledger.state ?? this.seen;
  }

  /** The squad, if it is at work in this window. */
  get current(): OpenSquad | undefined {
    return this.opened;
  }

  /** Opens the squad unless it is open. Rejects with a HumanError where there is no folder, no trust, or another owner. */
  open(): Promise<OpenSquad> {
    this.opening ??= this.openNow().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /**
   * Reads what earlier runs left, without owning it. Answers whether a run was under way whose host has ended or, after
   * a reload, is about to: the old window's host may live on for some seconds. Costs one `readdir` where there is nothing.
   */
  async lookBack(): Promise<boolean> {
    const [root] = vscode.workspace.workspaceFolders ?? [];
    if (root?.uri.scheme !== 'file' || this.opened || !(await isRegistered(root.uri.fsPath))) {
      return false;
    }
    const { readSquad } = await import('../host/openSquad.ts');
    const found = await readSquad(root.uri.fsPath, this.closing.signal);
    this.seen = found?.state;
    this.tellChange();
    const underWay = Object.values(found?.state.runs ?? {}).some((run) => isUnfinished(run) && !run.stopped);
    return underWay && found?.owner !== 'terminal';
  }

  /** Folders that a team may work on. Throws a HumanError where there is none or the workspace is not trusted. */
  usableFolders(): vscode.WorkspaceFolder[] {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
    if (folders.length === 0) {
      throw new HumanError(
        'The team works on a folder, and none is open. Open one (File: Open Folder…) and try again.',
      );
    }
    if (!vscode.workspace.isTrusted) {
      throw new HumanError('Workspace not trusted: you can read, not run. Trust it first (Workspaces: Manage Trust).');
    }
    return folders;
  }

  /** Called when the window closes; VS Code gives it a few seconds at most, and nothing depends on it. */
  async close(): Promise<void> {
    this.closing.abort(new Error('The window is closing.'));
    await this.opened?.dispose();
  }

  dispose(): void {
    clearTimeout(this.pendingChange);
    this.changes.dispose();
    this.events.dispose();
    this.openings.dispose();
  }

  /** Models as this window reaches them; opens nothing. */
  async models(): Promise<HostModels> {
    const { HostModels } = await import('../host/models.ts');
    return new HostModels({
      media: this.context.asAbsolutePath('media'),
      apiKey: async () => this.context.secrets.get(API_KEY),
      rehearsalPauseMs: REHEARSAL_PAUSE_MS,
      editorModel: selectEditorModel,
    });
  }

  private async openNow(): Promise<OpenSquad> {
    const workspace = await this.chooseFolder();
    const { openSquad } = await import('../host/openSquad.ts');
    const options: HostOptions = {
      workspace,
      squads: this.squads,
      logger: this.logger,
      models: await this.models(),
      host: 'editor',
      aboutSilentOwner,
    };
    const squad = await openSquad(options, this.closing.signal);
    this.opened = squad;
    this.openings.fire(undefined);
    squad.ledger.onDidAppend((event) => {
      this.events.fire(event);
      this.tellChange();
    });
    squad.ledger.onDidFail((error) => {
      void this.giveUp(squad, error);
    });
    this.tellChange();
    return squad;
  }

  /** The memory may be ahead of the disk: it is thrown away, and the next need reads the disk again. */
  private async giveUp(squad: OpenSquad, error: Error): Promise<void> {
    this.logger.error('The ledger closed', error);
    this.opened = undefined;
    this.opening = undefined;
    this.openings.fire(undefined);
    await squad.dispose().catch((cause: unknown) => {
      this.logger.error('The squad could not be closed in order', cause);
    });
    await this.lookBack().catch((cause: unknown) => {
      this.logger.error('The ledger could not be read again', cause);
    });
    void vscode.window.showErrorMessage(`${messageOf(error)} Run “DevSquad: Recover” to go on from there.`);
  }

  private async chooseFolder(): Promise<string> {
    const folders = this.usableFolders();
    const [only] = folders;
    if (folders.length === 1 && only) {
      this.folder = only.uri.fsPath;
    }
    this.folder ??= (
      await vscode.window.showWorkspaceFolderPick({ placeHolder: 'Which folder should the team work on?' })
    )?.uri.fsPath;
    if (this.folder === undefined) {
      throw new vscode.CancellationError();
    }
    return this.folder;
  }

  private get squads(): string {
    return path.join(this.context.globalStorageUri.fsPath, 'squads');
  }

  private tellChange(): void {
    this.pendingChange ??= setTimeout(() => {
      this.pendingChange = undefined;
      this.changes.fire();
    }, COALESCE_MS);
  }
}

async function aboutSilentOwner({ host, pid }: OwnerRecord): Promise<'take-over' | 'leave'> {
  const clicked = await vscode.window.showWarningMessage(
    'Take over this workspace’s squad?',
    {
      modal: true,
      detail: `Another DevSquad (${host === 'editor' ? 'a window of VS Code' : 'a terminal'}, process ${pid}) owns it and has not answered for 10 seconds. Taking over ends that process and goes on from everything it has acknowledged.`,
    },
    'Take Over',
  );
  return clicked === 'Take Over' ? 'take-over' : 'leave';
}

async function isRegistered(workspace: string): Promise<boolean> {
  const links = await readdir(ownerFolder(squadHome(), workspace)).catch((): string[] => []);
  return links.length > 0;
}

export const API_KEY = 'devsquad.openai.apiKey';
const REHEARSAL_PAUSE_MS = 60;
