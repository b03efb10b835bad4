/** An extension of its own that opens the dashboard over a squad in memory; `dashboardPanel.test.ts` builds and loads it. */
import * as vscode from 'vscode';
import { Emitter } from '../../src/base/emitter.ts';
import { DashboardPanel } from '../../src/vscode/panels/dashboardPanel.ts';
import { logWithWorkingTask } from './builders.ts';
import { MemoryLedger } from './memoryLedger.ts';
import { realClock } from './realClock.ts';
import { FakeSquad, silentLogger } from './viewedSquad.ts';

export function activate(context: vscode.ExtensionContext): void {
  const log = logWithWorkingTask();
  const subject = { kind: 'command' as const, command: 'npm install', cwd: '.', why: 'It is needed.' };
  const ids = { runId: 'run-1', taskId: 'run-1.greet' };
  log.add({ type: 'request-opened', ...ids, request: { id: 'r-1', ...ids, agentId: 'agent-1', subject } });
  const squad = new FakeSquad(new MemoryLedger(log));
  const changed = new Emitter<void>();
  let isOpen = true;
  const dashboard = new DashboardPanel({
    extensionUri: context.extensionUri,
    squad: () => (isOpen ? squad : undefined),
    onDidChangeSquad: changed.event,
    clock: realClock,
    logger: silentLogger,
    execute: async ({ command, args }) => {
      await vscode.window.showInformationMessage(`Asked for ${command} with ${args.join()}`);
    },
  });
  const register = (name: string, run: () => void): vscode.Disposable => vscode.commands.registerCommand(name, run);
  context.subscriptions.push(
    dashboard,
    register('dashboardHost.open', () => {
      dashboard.openDashboard();
    }),
    register('dashboardHost.toggleSquad', () => {
      isOpen = !isOpen;
      changed.fire();
    }),
    register('dashboardHost.prove', () => {
      squad.ledger.append({
        type: 'task-proven',
        ...ids,
        actor: { kind: 'runtime', id: 'runtime' },
        commit: 'c',
        tree: 't',
      });
    }),
  );
}
