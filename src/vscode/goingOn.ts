/**
 * What a window does by itself so that a run goes on: after a reload or a crash it takes up what was under way, it follows
 * the window or terminal that does the work, and takes over when that one is gone. It says quietly what it took up.
 */
import { readdir } from 'node:fs/promises';
import * as vscode from 'vscode';
import { messageOf } from '../domain/errors.ts';
import { describeOwner } from '../domain/owner.ts';
import { plannedTasksOf } from '../domain/phaseWords.ts';
import type { RunView } from '../domain/squadState.ts';
import { squadHome } from '../host/home.ts';
import type { OpenSquad } from '../host/openSquad.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import type { Logger } from '../ports.ts';
import { resumesAfterRestart } from './configuration.ts';
import type { EditorSquad, Sight } from './editorSquad.ts';
import { plainMessage } from './plainTexts.ts';
import type { RunNotices } from './runNotices.ts';

/** How often a window that is nobody's guest looks for a new owner: one `readdir`. */
const LOOK_MS = 2_000;

/** Why a run is taken up. */
type Cause = 'restart' | 'owner-left' | 'taken-over';

export class GoingOn implements vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly notices: RunNotices;
  private readonly logger: Logger;
  private readonly listening: { dispose(): void };
  private timer: NodeJS.Timeout | undefined;
  /** One step at a time. */
  private step: Promise<void> = Promise.resolve();
  private isOver = false;
  /** The registered owners at the last look. */
  private known = '';
  private hasOffered = false;
  /** Whether somebody works whom this window did not join, as where the folder is not trusted: what it shows, it reads again. */
  private readsAlong = false;

  constructor(squad: EditorSquad, notices: RunNotices, logger: Logger) {
    this.squad = squad;
    this.notices = notices;
    this.logger = logger;
    const listening = [
      squad.onDidLose(() => {
        this.go('owner-left');
      }),
      squad.onDidTakeOver((taken) => {
        this.takeUp(taken, 'taken-over');
      }),
      // From now on it may take part.
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.go('restart');
      }),
    ];
    this.listening = vscode.Disposable.from(...listening);
  }

  /** To be called once. */
  begin(): void {
    this.go('restart');
    this.wait();
  }

  dispose(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.listening.dispose();
  }

  private go(cause: Cause): void {
    this.step = this.step
      .then(() => (this.isOver ? undefined : this.goOn(cause)))
      .catch((error: unknown) => {
        this.logger.error(`The squad could not be taken up: ${messageOf(error)}`, error);
      });
  }

  private wait(): void {
    this.timer = setTimeout(() => {
      void this.lookForOwner().finally(() => {
        if (!this.isOver) {
          this.wait();
        }
      });
    }, LOOK_MS);
  }

  /** Somebody may have begun to work, here or at a terminal, since the last look. */
  private async lookForOwner(): Promise<void> {
    if (this.squad.current) {
      return;
    }
    const speaksAgain = await this.squad.silenceIsOver();
    if (speaksAgain || this.readsAlong || (await this.registered()) !== this.known) {
      this.hasOffered &&= !speaksAgain;
      this.go('owner-left');
      await this.step;
    }
  }

  private async goOn(cause: Cause): Promise<void> {
    this.known = await this.registered();
    const sight = await this.squad.look();
    this.readsAlong = sight?.status === 'alive';
    if (!sight?.underWay || !resumesAfterRestart() || !vscode.workspace.isTrusted) {
      return;
    }
    if (sight.status === 'silent') {
      this.offerTakeOver(sight);
      return;
    }
    const entered = await this.squad.enter();
    if (entered.role === 'owner') {
      this.takeUp(entered.squad, cause);
      this.known = await this.registered();
    }
  }

  private takeUp({ runs, ledger }: OpenSquad, cause: Cause): void {
    for (const runId of runs.resumeInterrupted()) {
      this.notices.follow(runId);
      const run = ledger.state.runs[runId];
      if (run) {
        void vscode.window.showInformationMessage(plainMessage(whatWasTakenUp(run, cause)));
      }
    }
  }

  /** Once: whoever closes the message can still take over by any command of the run. */
  private offerTakeOver({ owner }: Sight): void {
    if (this.hasOffered) {
      return;
    }
    this.hasOffered = true;
    void vscode.window
      .showWarningMessage(
        `DevSquad: ${describeOwner(owner)} does not answer. Nothing acknowledged is lost.`,
        'Take Over…',
      )
      .then((clicked) => clicked && vscode.commands.executeCommand('devsquad.recover'));
  }

  private async registered(): Promise<string> {
    const [root] = vscode.workspace.workspaceFolders ?? [];
    if (root?.uri.scheme !== 'file') {
      return '';
    }
    const names = await readdir(ownerFolder(squadHome(), root.uri.fsPath)).catch((): string[] => []);
    return names.filter((name) => name.startsWith('epoch.')).join();
  }
}

const WHY: Readonly<Record<Cause, string>> = {
  restart: 'DevSquad goes on',
  'owner-left': 'Whoever did the work is gone, so this window goes on',
  'taken-over': 'You have taken over',
};

function whatWasTakenUp(run: RunView, cause: Cause): string {
  const planned = plannedTasksOf(run);
  const proven = planned.filter(({ phase }) => phase === 'proven').length;
  const objective = run.objective.length > 80 ? `${run.objective.slice(0, 79)}…` : run.objective;
  const stand = planned.length === 0 ? 'while it was planned' : `with ${proven} of ${planned.length} tasks proven`;
  return `${WHY[cause]}: “${objective}” was taken up ${stand}. Nothing acknowledged was lost.`;
}
