import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { call, finish, inOrder, planTask, serveScene } from '../support/scriptedRun.ts';
import type { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInDialog,
  clickInNotification,
  lastRun,
  notification,
  openSideBar,
  runThat,
  statusBar,
  sampleWorkspace,
  treeItem,
} from '../support/workbench.ts';

const COMMAND = `printf '{\\n  "editor.tabSize": 4,\\n  "task.allowAutomaticTasks": "on"\\n}\\n' > .vscode/settings.json`;

const LONG = Array.from({ length: 150 }, (_, index) => `set option${index}\n`).join('');

describe('rights in VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;

  before(async () => {
    workspace = sampleWorkspace();
    server = await serveScene({
      tasks: [planTask('one')],
      lines: {
        one: inOrder(
          call('write_file', { path: '.editorconfig', content: '[*]\nindent_size = 4\n' }),
          call('write_file', { path: '.vimrc', content: LONG }),
          call('run_command', { command: `mkdir -p .vscode; ${COMMAND}` }),
          finish(),
        ),
      },
    });
    editor = await startEditor({
      folder: workspace,
      settings: {
        'devsquad.model': 'openai:scripted',
        'devsquad.openai.baseUrl': server.baseUrl,
        'devsquad.approve': ['plan', 'writes'],
        'workbench.colorTheme': 'Default Dark Modern',
        'workbench.secondarySideBar.defaultVisibility': 'hidden',
      },
    });
    await openSideBar(editor);
  });

  after(async () => {
    await editor.stop();
    await server.close();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  const waiting = (name: RegExp): Promise<void> => treeItem(editor, name).first().waitFor();

  it('asks about a protected file whatever is allowed ahead, and shows every line of it', async () => {
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', 'Set the house up.');
    await waiting(/^Write \.editorconfig, which is protected/);
    await editor.command('DevSquad: Answer What Waits…');
    await editor.page.waitForTimeout(600);
    await editor.screenshot('rights-01-write');
    const text = await clickInDialog(editor, 'Allow');
    assert.match(text, /indent_size = 4/);
  });

  it('opens what is too long for a dialog in an editor, and takes an answer only while it is there', async () => {
    await waiting(/^Write \.vimrc/);
    await editor.command('DevSquad: Answer What Waits…');
    const tab = editor.page.getByRole('tab', { name: /What waits for you/ });
    await tab.waitFor();
    await editor.page.getByText('+set option0').first().waitFor();
    await editor.page.waitForTimeout(600);
    await editor.screenshot('rights-02-long');
    assert.equal(await editor.page.locator('.monaco-dialog-box').count(), 0);
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Answer…' }).click();
    assert.match(await clickInDialog(editor, 'Refuse'), /in the editor behind this dialog/);
    await editor.page.getByText('This needs no answer any more.').waitFor();
  });

  it('says of a command whether a sandbox holds it, and asks what to keep of what it did', async () => {
    await waiting(/^Run mkdir/);
    await editor.command('DevSquad: Answer What Waits…');
    await editor.page.waitForTimeout(600);
    await editor.screenshot('rights-03-command');
    assert.match(await clickInDialog(editor, 'Allow'), /sandboxed/);
    await waiting(/^Keep what/);
    await editor.command('DevSquad: Answer What Waits…');
    await editor.page.waitForTimeout(600);
    await editor.screenshot('rights-04-changes');
    await clickInDialog(editor, 'Refuse');
    await runThat(editor, ({ phase }) => phase === 'ended');
    const files = (await lastRun(editor))?.diff?.files.map(({ path: file }) => file);
    assert.deepEqual(files, ['.editorconfig']);
    assert.ok(!existsSync(path.join(workspace, '.vscode')));
  });

  it('asks before it spends more than the person set, and shows what was spent meanwhile', async () => {
    editor.changeSettings({
      'devsquad.prices': { 'openai/scripted': { input: 2, output: 8 } },
      'devsquad.budget.usd': 0.07,
      'devsquad.budgetWarningPercent': 1,
    });
    // The file is read when a window opens.
    await editor.open(workspace);
    await openSideBar(editor);
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', 'Count the money.');
    // It comes first, and goes by itself.
    await notification(editor, /% of the run’s budget is used: \$0\.00\d\d of \$0\.07\./).waitFor();
    await waiting(/^Raise the run’s budget from \$0\.07 to/);
    await statusBar(editor, /\$0\.00\d\d/).waitFor();
    await clickInNotification(editor, /Raise the run’s budget.*stands still/, 'Raise…', 'rights-05-budget');
    await editor.page.waitForTimeout(600);
    await editor.screenshot('rights-06-raise');
    assert.match(await clickInDialog(editor, 'Allow'), /Nothing allows this ahead/);
    await waiting(/^Write \.editorconfig, which is protected/);
    await editor.command('DevSquad: Open Dashboard');
    await editor.page.waitForTimeout(2500);
    await editor.screenshot('rights-07-spent');
    const run = await lastRun(editor);
    assert.ok(run && run.account.usedMicroUsd > 0 && run.account.usedMicroUsd < 70_000);
    assert.ok((run.raised['run']?.usd ?? 0) > 0.07);
    await editor.command('DevSquad: Emergency Stop');
    await runThat(editor, ({ stopped }) => stopped);
  });
});
