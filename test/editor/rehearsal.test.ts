import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { clickInDialog, notification, openSideBar, pick, sampleWorkspace, treeItem } from '../support/workbench.ts';

describe('the rehearsal in VS Code', () => {
  let editor: Editor;
  let workspace: string;

  before(async () => {
    workspace = sampleWorkspace();
    editor = await startEditor({ folder: workspace });
    await openSideBar(editor);
  });

  after(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  const status = (): string => execFileSync('git', ['status', '--short'], { cwd: workspace, encoding: 'utf8' });

  it('asks for a model and an objective, then plans', async () => {
    await editor.screenshot('run-1-welcome');
    await editor.command('DevSquad: Start a Run…');
    await pick(editor, 'Rehearsal');
    await pick(editor, /tags/i);
    await editor.page.getByRole('tab', { name: /Plan\.md/ }).waitFor();
    await editor.page.getByRole('button', { name: 'Accept plan…' }).first().waitFor();
    await editor.screenshot('run-2-plan');
    assert.equal(status(), '');
  });

  it('shows what accepting the plan allows, and works once it is accepted', async () => {
    await editor.page.getByRole('button', { name: 'Accept plan…' }).first().click();
    await editor.page.locator('.monaco-dialog-box').waitFor();
    await editor.screenshot('run-3-accept');
    const said = await clickInDialog(editor, 'Accept plan');
    assert.match(said, /node --test/);
    await treeItem(editor, /working/)
      .first()
      .waitFor();
    await editor.screenshot('run-4-at-work');
  });
});
