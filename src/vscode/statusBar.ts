/** Two items: what the team is doing, and, only while something waits, what waits for the person. */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import { describeCost } from '../domain/budget.ts';
import { describeOwner } from '../domain/owner.ts';
import { forecastWords } from '../domain/forecast.ts';
import { describeRun, plannedTasksOf, spentWords, waitingGroups } from '../domain/phaseWords.ts';
import { currentRun } from '../domain/squadState.ts';
import { isHeld } from '../domain/task.ts';
import type { EditorSquad, WorkPlace } from './editorSquad.ts';

const WAITS = new vscode.ThemeColor('statusBarItem.warningBackground');

export class SquadStatusBar implements vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly work = vscode.window.createStatusBarItem('devsquad.work', vscode.StatusBarAlignment.Right, 101);
  private readonly waiting = vscode.window.createStatusBarItem('devsquad.waits', vscode.StatusBarAlignment.Right, 100);
  private readonly listening: vscode.Disposable;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.work.name = 'DevSquad';
    this.waiting.name = 'DevSquad: waits for you';
    this.waiting.command = 'devsquad.answerApproval';
    this.waiting.backgroundColor = WAITS;
    this.listening = squad.onDidChange(() => {
      this.draw();
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.work.dispose();
    this.waiting.dispose();
  }

  private draw(): void {
    const run = currentRun(this.squad.state);
    if (!run) {
      this.work.hide();
      this.waiting.hide();
      return;
    }
    const planned = plannedTasksOf(run);
    const silence = run.phase === 'ended' || run.stopped ? undefined : this.squad.silentOwner;
    const busy = Object.values(run.tasks).filter(({ phase }) => isHeld(phase)).length;
    const parts = [
      silence
        ? `${silence.host === 'editor' ? 'window' : 'terminal'} does not answer`
        : run.phase === 'ended'
          ? describeRun(run)
          : `${busy} ${busy === 1 ? 'agent' : 'agents'}`,
      ...(planned.length > 0 ? [`${planned.filter(({ phase }) => phase === 'proven').length}/${planned.length}`] : []),
      ...(silence ? [] : [`${thousands(run.account.usedTokens)} tokens`, describeCost(run.account)]),
      ...(run.phase === 'ended' ? [] : [ELSEWHERE[this.squad.workPlace].word]),
    ].filter(Boolean);
    this.work.text = `$(${silence ? 'warning' : 'organization'}) ${parts.join(' · ')}`;
    this.work.backgroundColor = silence ? WAITS : undefined;
    this.work.command = silence ? 'devsquad.recover' : 'devsquad.openDashboard';
    const { sentence } = ELSEWHERE[this.squad.workPlace];
    const forecast = this.squad.state && forecastWords(this.squad.state, run);
    const told = silence
      ? [`It stands still: ${describeOwner(silence)} does not answer`, 'Take over…']
      : [describeRun(run), spentWords(run), forecast && `Will come to ${forecast}`, sentence, 'Open the dashboard'];
    this.work.tooltip = visibleText([`DevSquad: ${run.objective}`, ...told].filter(Boolean).join('\n'));
    this.work.show();
    const open = waitingGroups(run).length;
    this.waiting.text = `$(bell-dot) ${open} ${open === 1 ? 'waits' : 'wait'} for you`;
    this.waiting.tooltip = 'Answer what waits for you';
    if (open > 0) {
      this.waiting.show();
    } else {
      this.waiting.hide();
    }
  }
}

/** Who does the work, when this window only follows it. */
const ELSEWHERE: Readonly<Record<WorkPlace, { readonly word: string; readonly sentence: string }>> = {
  here: { word: '', sentence: '' },
  nobody: { word: '', sentence: '' },
  window: { word: 'elsewhere', sentence: 'Another window does the work; stop, pause and answer work from here, too.' },
  terminal: { word: 'terminal', sentence: 'A terminal does the work; stop, pause and answer work from here, too.' },
};

function thousands(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(tokens < 100_000 ? 1 : 0)}k`;
}
