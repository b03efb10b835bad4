import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkTables } from '../support/checkTables.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import {
  answerInput,
  clickInDialog,
  lastRun,
  notification,
  openSideBar,
  pick,
  runThat,
  sampleWorkspace,
  squadFolder,
  treeItem,
} from '../support/workbench.ts';

describe('the rehearsal in VS Code', () => {
  let editor: Editor;
  let workspace: string;

  before(async () => {
    workspace = sampleWorkspace();
    const settings = {
      'workbench.colorTheme': 'Default Dark Modern',
      'workbench.secondarySideBar.defaultVisibility': 'hidden',
    };
    editor = await startEditor({ folder: workspace, settings });
    await openSideBar(editor);
  });

  after(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  const status = (): string => execFileSync('git', ['status', '--short'], { cwd: workspace, encoding: 'utf8' });

  it('says in its empty views what they are for and what to do first', async () => {
    for (const text of ['State an objective.', 'Tasks appear when a plan exists.', 'Nothing waits for you.']) {
      await editor.page.getByText(text).first().waitFor();
    }
  });

  it('asks for a model and an objective, then plans', async () => {
    await editor.screenshot('run-1-welcome');
    await editor.command('DevSquad: Start a Run…');
    await pick(editor, 'Which model should the team use?', 'Rehearsal');
    await pick(editor, 'Start a run (rehearsal)', 'tags');
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
    await treeItem(editor, /Tags and search, (?:working|waits for you)/).waitFor();
    await editor.screenshot('run-4-at-work');
  });

  it('shows the team at work on the dashboard', async () => {
    await editor.command('DevSquad: Open Dashboard');
    const page = await editor.webview('h1');
    await page.getByRole('heading', { name: /tags/i }).waitFor();
    await page.getByText('npm test').first().waitFor();
    await editor.screenshot('run-4-dashboard');
    await page.getByRole('button', { name: 'Pause' }).click();
    await runThat(editor, ({ paused }) => paused);
    await page.getByRole('button', { name: 'Resume' }).click();
    await runThat(editor, ({ paused }) => !paused);
  });

  it('stops when its progress is cancelled, and recovers', async () => {
    await notification(editor, 'DevSquad').getByRole('button', { name: 'Cancel' }).click();
    await runThat(editor, ({ stopped }) => stopped);
    await treeItem(editor, /stopped, can go on/i).waitFor();
    await editor.command('DevSquad: Recover');
    await runThat(editor, ({ stopped }) => !stopped);
  });

  it('asks before each command, and goes on when the person has clicked', async () => {
    const { page } = editor;
    let answered = 0;
    while ((await lastRun(editor))?.phase !== 'ended') {
      // The tree may show one for a moment that was answered just now.
      const opened = await treeItem(editor, /^Run .*waits for you$/)
        .first()
        .click({ timeout: 2_000 })
        .then(() => page.locator('.monaco-dialog-box').waitFor({ timeout: 3_000 }))
        .then(
          () => true,
          () => false,
        );
      if (!opened) {
        continue;
      }
      if (answered === 0) {
        await editor.screenshot('run-5-approval');
      }
      await clickInDialog(editor, 'Allow');
      answered++;
    }
    const run = await lastRun(editor);
    assert.equal(run?.status, 'succeeded', run?.reason);
    assert.ok(answered >= 4, `${answered} were asked`);
    assert.equal(status(), '');
    await notification(editor, 'Done and proven').waitFor();
    await editor.screenshot('run-6-done');
  }).timeout(240_000);

  it('shows the whole change in one multi-file diff', async () => {
    await notification(editor, 'Done and proven').getByRole('button', { name: 'Review' }).click();
    await editor.page.locator('.multiDiffEntry').first().waitFor();
    await editor.page.getByText('tags.js').first().waitFor();
    await editor.screenshot('run-7-review');
    assert.equal(status(), '');
  });

  it('applies the change after one click in a dialog, and takes it back', async () => {
    await editor.command('DevSquad: Apply…');
    const said = await clickInDialog(editor, 'Apply');
    assert.match(said, /src\/routes\/tags\.js/);
    await notification(editor, 'Applied 8 files').waitFor();
    await editor.screenshot('run-8-applied');
    assert.ok(existsSync(path.join(workspace, 'src/routes/tags.js')));
    execFileSync('npm', ['test', '--silent'], { cwd: workspace, stdio: 'pipe' });

    await notification(editor, 'Applied 8 files').getByRole('button', { name: 'Undo' }).click();
    await notification(editor, 'Taken back').waitFor();
    assert.equal(status(), '');
  });

  it('hands the result over as a branch, and discards it, each undoable', async () => {
    await editor.command('DevSquad: Make a Branch…');
    await answerInput(editor, 'The result becomes one commit', 'devsquad/tags');
    await notification(editor, 'Made the branch devsquad/tags').waitFor();
    const branches = (): string => execFileSync('git', ['branch', '--list'], { cwd: workspace, encoding: 'utf8' });
    assert.match(branches(), /devsquad\/tags/);
    await editor.command('DevSquad: Undo');
    await treeItem(editor, /ready for review/i).waitFor();
    assert.doesNotMatch(branches(), /devsquad/);

    await editor.command('DevSquad: Discard…');
    await clickInDialog(editor, 'Discard');
    await treeItem(editor, /discarded/i).waitFor();
    await editor.command('DevSquad: Undo');
    await treeItem(editor, /ready for review/i).waitFor();
  });

  it('leaves rows that any SQLite reads and that say what the ledger says', async () => {
    // The tables are written out when the squad has been quiet for a while.
    for (const end = performance.now() + 30_000; ;) {
      try {
        await checkTables(squadFolder(editor) ?? '');
        return;
      } catch (error) {
        if (performance.now() > end) {
          throw error;
        }
        await editor.page.waitForTimeout(500);
      }
    }
  });
});
