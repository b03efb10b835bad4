import assert from 'node:assert/strict';
import * as vscode from 'vscode';

interface Manifest {
  readonly contributes: { readonly commands?: readonly { readonly command: string }[] };
}

describe('activation', () => {
  const extension = vscode.extensions.getExtension('vibe-devsquad.devsquad');

  it('brings the extension up', async () => {
    assert.ok(extension, 'DevSquad is not among the extensions');
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('registers every command that the manifest offers', async () => {
    const { contributes } = extension!.packageJSON as Manifest;
    const registered = new Set(await vscode.commands.getCommands());
    const missing = (contributes.commands ?? []).filter(({ command }) => !registered.has(command));
    assert.deepEqual(missing, []);
  });

  it('lets the view of agents be shown', async () => {
    await vscode.commands.executeCommand('devsquad.agents.focus');
  });
});
