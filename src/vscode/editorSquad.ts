/**
 * The window's squad: seen from disk until something needs it at work, then owned until the window closes, or followed as
 * long as another window or a terminal owns it.
 *
 *   nothing → seen (read from disk) → owner ⇄ failed (thrown away, read again when next needed)
 *                ↑↓
 *              guest (another process owns it) → lost → seen, owner or guest of the next
 *                                                     ↘ silent (it does not answer) → guest again, seen, or taken over
 */
import type { WorkspacePolicy } from '../domain/policy.ts';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { Emitter } from '../base/emitter.ts';
import type { SharedSquad } from '../control/sharedSquad.ts';
import { HumanError, messageOf } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import { describeOwner, describeTakeOver, type OwnerRecord } from '../domain/owner.ts';
import type { McpServer } from '../domain/mcpServer.ts';
import type { Price, PriceTable } from '../domain/prices.ts';
import { isUnfinished, type RunOptions } from '../domain/run.ts';
import type { SquadView } from '../domain/squadState.ts';
import { isSandboxed } from './configuration.ts';
import type { Entered, EnterOptions, Guest } from '../host/enterSquad.ts';
import type { HostModels } from '../host/models.ts';
import type { OpenSquad } from '../host/openSquad.ts';
import { squadHome } from '../host/home.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import type { Logger } from '../ports.ts';
import { plainMessage } from './plainTexts.ts';

/** Views are told of changes at most this often. */
const COALESCE_MS = 100;

/** Who does the work; `nobody` while the squad is only seen. */
export type WorkPlace = 'here' | 'window' | 'terminal' | 'nobody';

/** What a look without owning found. */
export interface Sight {
  /** A run is unfinished and nobody stopped it. */
  readonly underWay: boolean;
  readonly owner: OwnerRecord;
  readonly status: 'alive' | 'silent' | 'gone';
}

export class EditorSquad implements vscode.Disposable {
  private readonly context: vscode.ExtensionContext;
  private readonly logger: Logger;
  private readonly changes = new vscode.EventEmitter<void>();
  private readonly events = new Emitter<SquadEvent>();
  private readonly openings = new Emitter<undefined>();
  private readonly losses = new Emitter<undefined>();
  private readonly takeOvers = new Emitter<OpenSquad>();
  private readonly closing = new AbortController();
  private readonly startedHere = new Set<string>();
  private folder: string | undefined;
  private entering: Promise<Entered> | undefined;
  private entered: Entered | undefined;
  private seen: SquadView | undefined;
  private silent: OwnerRecord | undefined;
  private pendingChange: NodeJS.Timeout | undefined;

  /** Something in `state` is different; fires at most ten times a second. */
  readonly onDidChange = this.changes.event;
  /** Each event of the squad, in order; when it changes hands some may be missing. */
  readonly onDidAppend = this.events.event;
  /** `current` is another one than before, or must be looked at anew. */
  readonly onDidOpenOrClose = this.openings.event;
  /** The squad was another process's, and that is gone or silent; or this window's, and its ledger closed. */
  readonly onDidLose = this.losses.event;
  /** The person took the squad over from an owner that did not answer; it is this window's now. */
  readonly onDidTakeOver = this.takeOvers.event;

  constructor(context: vscode.ExtensionContext, logger: Logger) {
    this.context = context;
    this.logger = logger;
  }

  /** The squad's state, or what was on disk when we looked; undefined where there never was a run. */
  get state(): SquadView | undefined {
    return this.entered?.squad.ledger.state ?? this.seen;
  }

  /** The squad at work, in this window or in another process. */
  get current(): SharedSquad | undefined {
    return this.entered?.squad;
  }

  get workPlace(): WorkPlace {
    if (!this.entered) {
      return 'nobody';
    }
    return this.entered.role === 'owner' ? 'here' : this.entered.owner.host === 'editor' ? 'window' : 'terminal';
  }

  /** Who owns the squad and does not answer, while that is how it is. */
  get silentOwner(): OwnerRecord | undefined {
    return this.entered ? undefined : this.silent;
  }

  /** Asks it once more, which takes ten seconds while it is silent; true where it is not any more, or gone. */
  async silenceIsOver(): Promise<boolean> {
    const { silent } = this;
    if (!silent) {
      return false;
    }
    const { probeOwner } = await import('../ledger/ownership.ts');
    if ((await probeOwner(silent, this.closing.signal)) === 'silent') {
      return false;
    }
    this.silent = undefined;
    this.tellChange();
    return true;
  }

  /** Whether this window tells the person about a run by itself: it does the work, or the run was started in it. */
  speaksFor(runId: string): boolean {
    return this.workPlace === 'here' || this.startedHere.has(runId);
  }

  /** From now on this window speaks for the run. */
  noteStart(runId: string): void {
    this.startedHere.add(runId);
  }

  /**
   * The squad at work: here, or where it is owned. Rejects with a HumanError where there is no folder or no trust, or where
   * an owner does not answer and nobody takes over.
   */
  async open(): Promise<SharedSquad> {
    return (await this.enter()).squad;
  }

  /** As `open`, and says who owns it. */
  enter(): Promise<Entered> {
    this.entering ??= this.enterNow().catch((error: unknown) => {
      this.entering = undefined;
      throw error;
    });
    return this.entering;
  }

  /**
   * Looks at the squad without owning it: follows the owner where one lives, reads the disk otherwise. Undefined where there
   * never was a squad, or it is followed or owned now. Costs one `readdir` where there is nothing.
   */
  async look(): Promise<Sight | undefined> {
    const [root] = vscode.workspace.workspaceFolders ?? [];
    if (root?.uri.scheme !== 'file' || this.isEntering() || !(await isRegistered(root.uri.fsPath))) {
      return undefined;
    }
    const workspace = root.uri.fsPath;
    const { signal } = this.closing;
    const { lookAtSquad } = await import('../host/enterSquad.ts');
    const found = await lookAtSquad(
      {
        workspace,
        host: 'editor',
        logger: this.logger,
        joins: vscode.workspace.isTrusted,
        silentEpoch: this.silent?.epoch,
      },
      signal,
    );
    // A command may have entered meanwhile.
    if (this.isEntering()) {
      if (found?.role === 'guest') {
        found.squad.dispose();
      }
      return undefined;
    }
    if (found?.role === 'guest') {
      this.folder = workspace;
      this.entering = Promise.resolve(found);
      this.take(found);
      return undefined;
    }
    this.seen = found?.state;
    this.silent = found?.status === 'silent' ? found.owner : undefined;
    this.tellChange();
    const runs = Object.values(found?.state.runs ?? {});
    return found && { ...found, underWay: runs.some((run) => isUnfinished(run) && !run.stopped) };
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
      throw new HumanError(
        'Workspace not trusted: you can read, not run. Trust it first (Workspaces: Manage Workspace Trust).',
      );
    }
    return folders;
  }

  /** Called when the window closes; VS Code gives it a few seconds at most, and nothing depends on it. */
  async close(): Promise<void> {
    this.closing.abort(new Error('The window is closing.'));
    await this.entered?.squad.dispose();
  }

  dispose(): void {
    clearTimeout(this.pendingChange);
    this.changes.dispose();
    this.events.dispose();
    this.openings.dispose();
    this.losses.dispose();
    this.takeOvers.dispose();
  }

  /** Models as this window reaches them; opens nothing. */
  async models(): Promise<HostModels> {
    const { HostModels } = await import('../host/models.ts');
    return new HostModels({
      media: this.context.asAbsolutePath('media'),
      apiKey: async () => this.context.secrets.get(API_KEY),
      rehearsalPauseMs: REHEARSAL_PAUSE_MS,
      editorModel: async (name, signal) => (await import('./editorModels.ts')).selectEditorModel(name, signal),
    });
  }

  /** What is known of what these models cost; what the setting says comes first. */
  async pricesFor(choices: readonly RunOptions['model'][], setting: PriceTable): Promise<Price[]> {
    const { pricesFor } = await import('../host/prices.ts');
    return pricesFor(choices, { media: this.context.asAbsolutePath('media'), setting });
  }

  /** Of the folder that the team works on, as it is now. Rejects with a HumanError for one that is not understood. */
  async workspacePolicy(): Promise<WorkspacePolicy | undefined> {
    const { readWorkspacePolicy } = await import('../host/workspacePolicy.ts');
    return readWorkspacePolicy(await this.folderToLookAt());
  }

  /** Those of the folder's MCP servers that are wanted. Rejects with a HumanError for one that is not understood. */
  async mcpServers(wanted: readonly string[]): Promise<McpServer[]> {
    const { readServers } = await import('../integrations/mcpFile.ts');
    return readServers(await this.folderToLookAt(), wanted);
  }

  /** Its path. Nothing of it is run or changed, so it need not be trusted. */
  async folderToLookAt(): Promise<string> {
    const folders = vscode.workspace.workspaceFolders?.filter(({ uri }) => uri.scheme === 'file') ?? [];
    const [only] = folders;
    return !vscode.workspace.isTrusted && only ? only.uri.fsPath : this.chooseFolder();
  }

  private async enterNow(): Promise<Entered> {
    const workspace = await this.chooseFolder();
    const { enterSquad } = await import('../host/enterSquad.ts');
    const { silentOwner } = this;
    const asked = Promise.withResolvers<undefined>();
    const takeOver = { isAgreed: false };
    const options: EnterOptions = {
      workspace,
      squads: this.squads,
      sandbox: isSandboxed(),
      logger: this.logger,
      models: await this.models(),
      host: 'editor',
      aboutSilentOwner: async (owner) => {
        asked.resolve(undefined);
        await askToTakeOver(owner);
        takeOver.isAgreed = true;
        showWhile('DevSquad: taking over…', entering);
        return 'take-over';
      },
    };
    const entering = enterSquad(options, this.closing.signal);
    if (silentOwner) {
      const who = silentOwner.host === 'editor' ? 'window' : 'terminal';
      showWhile(`DevSquad: asking the ${who} once more, for ten seconds…`, Promise.race([asked.promise, entering]));
    }
    const entered = await entering;
    this.take(entered);
    if (takeOver.isAgreed && entered.role === 'owner') {
      this.takeOvers.fire(entered.squad);
    }
    return entered;
  }

  private isEntering(): boolean {
    return this.entering !== undefined;
  }

  private take(entered: Entered): void {
    this.entered = entered;
    this.silent = undefined;
    entered.squad.ledger.onDidAppend((event) => {
      this.events.fire(event);
      this.tellChange();
    });
    if (entered.role === 'owner') {
      entered.squad.ledger.onDidFail((error) => {
        void this.giveUp(entered.squad, error);
      });
    } else {
      this.watchOwner(entered);
    }
    this.openings.fire(undefined);
    this.tellChange();
  }

  private watchOwner({ squad, owner }: Guest): void {
    squad.onDidReset(() => {
      this.openings.fire(undefined);
      this.tellChange();
    });
    squad.onDidLose((loss) => {
      this.silent = loss === 'silent' ? owner : undefined;
      // What was seen last stays on screen until it is known how it goes on.
      this.leave(squad.ledger.state);
      this.losses.fire(undefined);
    });
  }

  private leave(seen: SquadView | undefined): void {
    this.seen = seen;
    this.entered = undefined;
    this.entering = undefined;
    this.openings.fire(undefined);
    this.tellChange();
  }

  /** The memory may be ahead of the disk: it is thrown away, and the next need reads the disk again. */
  private async giveUp(squad: OpenSquad, error: Error): Promise<void> {
    this.logger.error('The ledger closed', error);
    this.leave(undefined);
    await squad.dispose().catch((cause: unknown) => {
      this.logger.error('The squad could not be closed in order', cause);
    });
    await this.look().catch((cause: unknown) => {
      this.logger.error('The ledger could not be read again', cause);
    });
    if (this.workPlace === 'nobody') {
      void vscode.window.showErrorMessage(
        plainMessage(`${messageOf(error)} Run “DevSquad: Recover” to go on from there.`),
      );
    } else {
      void vscode.window.showInformationMessage(plainMessage(`${messageOf(error)} This window follows it.`));
    }
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

/** Rejects with a CancellationError where the person leaves it to its owner. */
async function askToTakeOver(owner: OwnerRecord): Promise<void> {
  const clicked = await vscode.window.showWarningMessage(
    `Take over from the ${owner.host === 'editor' ? 'other window' : 'terminal'}?`,
    {
      modal: true,
      detail: `For ten seconds, ${describeOwner(owner)} has not answered.\n\n${describeTakeOver(owner)}`,
    },
    'Take Over',
  );
  if (clicked === undefined) {
    throw new vscode.CancellationError();
  }
}

/** Shows that something is going on until it is over, however it ends. */
function showWhile(title: string, step: Promise<unknown>): void {
  const over = step.catch(() => undefined);
  void vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () => over);
}

async function isRegistered(workspace: string): Promise<boolean> {
  const links = await readdir(ownerFolder(squadHome(), workspace)).catch((): string[] => []);
  return links.length > 0;
}

export const API_KEY = 'devsquad.openai.apiKey';
const REHEARSAL_PAUSE_MS = 60;
