/** What agents may do, as a document to read, and a box in which a command is judged while it is typed. Neither does anything. */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import { describeRule } from '../domain/grants.ts';
import { policyOf } from '../domain/policy.ts';
import type { Verdict } from '../guardrails/verdict.ts';
import { readSettings } from './configuration.ts';
import type { EditorSquad } from './editorSquad.ts';

const SCHEME = 'devsquad-policy';

export class PolicyView implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  private readonly registered: vscode.Disposable;

  readonly onDidChange = this.changes.event;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      this.changes,
    );
  }

  async show(): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: '/What agents may do.md' });
    // It may be open from before, when other things were allowed.
    this.changes.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: false });
  }

  async provideTextDocumentContent(): Promise<string> {
    const { describePolicy } = await import('../guardrails/policyWords.ts');
    const { approve, allowedCommands, allowedHosts, mcpServers } = readSettings();
    const workspacePolicy = await this.squad.workspacePolicy();
    const rules = Object.values(this.squad.state?.standing.rules ?? {});
    return visibleText(
      describePolicy({
        added: policyOf({ allowedCommands: [...allowedCommands], allowedHosts: [...allowedHosts], workspacePolicy }),
        rules: rules.map(describeRule),
        servers: mcpServers,
        approve,
      }),
    );
  }

  provideCodeLenses(): vscode.CodeLens[] {
    const top = new vscode.Range(0, 0, 0, 0);
    return [new vscode.CodeLens(top, { title: '$(beaker) Test a command…', command: 'devsquad.testCommand' })];
  }

  /** Shows below the box what would become of the command, and why. Nothing is run. */
  async testCommand(): Promise<void> {
    const judge = await this.judge();
    const box = vscode.window.createInputBox();
    box.title = 'Test a command';
    box.placeholder = 'npm test';
    box.prompt = 'Nothing is run: you see whether an agent could run it, and why.';
    const closed = Promise.withResolvers<undefined>();
    const parts = [
      box,
      box.onDidChangeValue((command) => {
        box.validationMessage = command.trim() === '' ? undefined : wordsOf(judge(command));
      }),
      box.onDidHide(() => {
        closed.resolve(undefined);
      }),
    ];
    box.show();
    await closed.promise;
    for (const part of parts) {
      part.dispose();
    }
  }

  dispose(): void {
    this.registered.dispose();
  }

  private async judge(): Promise<(command: string) => Verdict> {
    const { openGuardrails } = await import('../workspace/openGuardrails.ts');
    const { folderWorld } = await import('../workspace/folderWorld.ts');
    const { allowedCommands, allowedHosts } = readSettings();
    const workspacePolicy = await this.squad.workspacePolicy();
    const added = policyOf({ allowedCommands: [...allowedCommands], allowedHosts: [...allowedHosts], workspacePolicy });
    const guardrails = (await openGuardrails()).under(added);
    const world = folderWorld(await this.squad.folderToLookAt());
    return (command) => guardrails.command('bash', command, world);
  }
}

function wordsOf({ kind, reason }: Verdict): { message: string; severity: vscode.InputBoxValidationSeverity } {
  const { Info, Warning, Error: Refused } = vscode.InputBoxValidationSeverity;
  const says = visibleText(reason).replaceAll('](', '] (');
  switch (kind) {
    case 'allow':
      return { message: `Runs without a question. ${says}`, severity: Info };
    case 'ask':
      return { message: `Asks you first. ${says}`, severity: Warning };
    case 'deny':
      return { message: `Refused, whoever asks for it. ${says}`, severity: Refused };
  }
}
