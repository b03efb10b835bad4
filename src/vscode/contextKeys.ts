/** What `when` clauses of menus need to know of the squad. */
import * as vscode from 'vscode';
import { openRequests } from '../domain/requestState.ts';
import { currentRun } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';

export function keepContextKeys(squad: EditorSquad): vscode.Disposable {
  const told = new Map<string, boolean>();
  const tell = (key: string, value: boolean): void => {
    if (told.get(key) !== value) {
      told.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  };
  return squad.onDidChange(() => {
    const run = currentRun(squad.state);
    const unfinished = run !== undefined && run.phase !== 'ended';
    tell('devsquad.atWork', unfinished && !run.stopped && squad.current !== undefined);
    const inTrouble = Object.values(squad.state?.standing.agents ?? {}).some(({ status }) => status === 'error');
    tell('devsquad.canRecover', inTrouble || (unfinished && (run.stopped || squad.current === undefined)));
    tell('devsquad.planWaits', unfinished && openRequests(run).some(({ subject }) => subject.kind === 'plan'));
  });
}
