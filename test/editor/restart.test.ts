import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { rehearseHeadless } from '../support/headless.ts';
import { rehearsedTree } from '../support/rehearsedTree.ts';
import { openSideBar, pick, runThat, sampleWorkspace } from '../support/workbench.ts';

/** Nothing asks, so that a run goes through by itself. */
const settings = { 'devsquad.model': 'rehearsal', 'devsquad.approve': ['plan', 'commands', 'writes'] };

describe('a run in VS Code whose host goes away in the middle', () => {
  let editor: Editor;
  let workspace: string;
  let expectedTree: string;

  before(async function () {
    expectedTree = await rehearsedTree(rehearseHeadless);
  });

  beforeEach(async () => {
    workspace = sampleWorkspace();
    editor = await startEditor({ folder: workspace, settings });
    await openSideBar(editor);
    await editor.command('DevSquad: Start a Run…');
    await pick(editor, 'Start a run (rehearsal)', 'tags');
    await runThat(editor, ({ tasks }) => Object.values(tasks).some(({ key, steps }) => key === 'search' && steps > 2));
  });

  afterEach(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  it('ends right after kill -9 of the extension host', async () => {
    const [pid = 0] = editor.extensionHostPids();
    process.kill(pid, 'SIGKILL');
    const run = await runThat(editor, ({ phase }) => phase === 'ended');
    assert.equal(run.status, 'succeeded', run.reason);
    assert.equal(run.diff?.tree, expectedTree);
    await editor.screenshot('restart-after-kill');
  });

  it('ends right after a reload of the window', async () => {
    await editor.reload();
    const run = await runThat(editor, ({ phase }) => phase === 'ended');
    assert.equal(run.status, 'succeeded', run.reason);
    assert.equal(run.diff?.tree, expectedTree);
  });
});
