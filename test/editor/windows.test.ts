import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import type { EditorWindow } from '../support/editorWindow.ts';
import { rehearseHeadless } from '../support/headless.ts';
import { rehearsedTree } from '../support/rehearsedTree.ts';
import { devsquadBeside } from '../support/terminalBeside.ts';
import {
  clickInDialog,
  notification,
  openSideBar,
  pick,
  runThat,
  sampleWorkspace,
  statusBar,
  treeItem,
} from '../support/workbench.ts';

/** Nothing but the plan asks. */
const settings = {
  'devsquad.model': 'rehearsal',
  'devsquad.approve': ['commands', 'writes'],
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

describe('several windows and a terminal on one workspace', () => {
  let workspace: string;
  let first: Editor;
  /** Of the same VS Code. */
  let second: EditorWindow;
  /** With a data folder of its own, so that its storage is another one. */
  let other: Editor;
  let expectedTree: string;

  before(async function () {
    expectedTree = await rehearsedTree(rehearseHeadless);
    workspace = sampleWorkspace();
    first = await startEditor({ folder: workspace, settings });
    await openSideBar(first);
    await first.command('DevSquad: Start a Run…');
    await pick(first, 'Start a run (rehearsal)', 'tags');
    await runThat(first, ({ phase }) => phase === 'awaiting-approval');
    [second, other] = await Promise.all([
      first.openSecondWindow(),
      startEditor({ folder: workspace, home: first.homeFolder, settings }),
    ]);
    await Promise.all([openSideBar(second), openSideBar(other)]);
  });

  after(async () => {
    await other.stop();
    await first.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  it('each show what waits, and where the work is done', async () => {
    for (const window of [second, other]) {
      await treeItem(window, /Accept the plan/).waitFor();
      await statusBar(window, 'elsewhere').waitFor();
    }
    assert.equal(await statusBar(first, 'elsewhere').count(), 0);
    await other.screenshot('windows-1-waits');
  });

  it('a second window’s click accepts the plan, once: nothing waits in the others, and their dialogs come too late', async () => {
    for (const window of [first, other, second]) {
      await window.command('DevSquad: Accept Plan…');
      await window.page.locator('.monaco-dialog-box').waitFor();
    }
    const said = await clickInDialog(second, 'Accept plan');
    assert.match(said, /node --test/);
    await runThat(first, ({ phase }) => phase === 'working');
    for (const window of [first, second, other]) {
      await treeItem(window, /Accept the plan/).waitFor({ state: 'detached' });
    }
    await clickInDialog(first, 'Accept plan');
    await clickInDialog(other, 'Refuse');
    for (const window of [first, other]) {
      await notification(window, 'This was answered already, in VS Code. Your click changed nothing.').waitFor();
      await window.screenshot(`windows-1-late-${window === first ? 'owner' : 'other'}`);
    }
    const { planRevision, requests, stopped } = await runThat(first, ({ phase }) => phase === 'working');
    assert.deepEqual([planRevision, stopped], [1, false]);
    const plans = Object.values(requests).filter(({ subject }) => subject.kind === 'plan');
    assert.deepEqual(
      plans.map(({ answer, door }) => [answer?.kind, door]),
      [['allow', 'editor']],
    );
  });

  it('a window with another storage sees the run live, and stops it', async () => {
    await treeItem(other, /Tags and search, (?:working|waits for you)/).waitFor();
    await other.screenshot('windows-2-at-work');
    await other.command('DevSquad: Emergency Stop');
    await runThat(first, ({ stopped }) => stopped);
    for (const window of [first, second, other]) {
      await treeItem(window, /stopped, can go on/i).waitFor();
    }
    await second.screenshot('windows-3-stopped');
  });

  it('a terminal takes the run up where it is owned, sees it, and stops it', async () => {
    const resumed = devsquadBeside(first, 'resume', '--json');
    await runThat(first, ({ stopped }) => !stopped);
    await resumed.said('"type":"tool-call-ended"');
    await statusBar(second, 'elsewhere').waitFor();

    const status = await devsquadBeside(first, 'status').end;
    assert.match(status.stdout, /working +\S+ +\w+/);
    const stopped = await devsquadBeside(first, 'stop').end;

    assert.equal(stopped.exitCode, 0, stopped.stderr);
    const { exitCode, stderr, stdout } = await resumed.end;
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /VS Code \(process \d+\) does the work/);
    assert.match(stdout, /"type":"run-stopped"[^\n]*\n(.*\n)*\{"type":"squad-idle"\}\n$/);
    await treeItem(other, /stopped, can go on/i).waitFor();
  });

  it('another takes over when the owner’s window closes, and the run ends right', async () => {
    await first.command('DevSquad: Recover');
    await runThat(first, ({ stopped }) => !stopped);
    const told = /this window goes on: “Add tags[^”]*” was taken up with \d of 4 tasks proven/;
    const isTold = Promise.any([second, other].map((window) => notification(window, told).waitFor()));
    await first.closeWindow();
    await isTold;
    const run = await runThat(first, ({ phase }) => phase === 'ended');

    assert.equal(run.status, 'succeeded', run.reason);
    assert.equal(run.diff?.tree, expectedTree);
    for (const window of [second, other]) {
      await statusBar(window, /4\/4/).waitFor();
    }
    await second.screenshot('windows-4-second-after');
    await other.screenshot('windows-4-other-after');
  });
});
