import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { devsquadBeside } from '../support/terminalBeside.ts';
import {
  clickInDialog,
  answerInput,
  lastRun,
  notification,
  openLink,
  openSideBar,
  sampleWorkspace,
  treeItem,
} from '../support/workbench.ts';

const LINK = 'vscode://vibe-devsquad.devsquad/run?objective=Add%20a%20feature';

/** What waits, as the terminal that looks at the disk tells it. */
async function waitingAtTerminal(editor: Editor, workspace: string): Promise<string> {
  const { stdout } = await devsquadBeside(editor, 'inbox', '--workspace', workspace, '--json').end;
  assert.match(stdout, /"kind":"plan"/);
  return stdout;
}

/** Takes those that are on screen away, so that the next one is a new one. */
async function clearNotifications(editor: Editor): Promise<void> {
  await editor.command('Notifications: Clear All Notifications');
  await notification(editor, /./).first().waitFor({ state: 'detached' });
}

describe('what cannot be done in VS Code', () => {
  let workspace: string;
  let editor: Editor;

  beforeEach(() => {
    workspace = sampleWorkspace();
  });

  afterEach(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  it('is refused in a workspace that is not trusted, and nothing is written', async () => {
    editor = await startEditor({
      folder: workspace,
      settings: { 'devsquad.model': 'editor:none' },
      asksForTrust: true,
    });
    await openSideBar(editor);
    await editor.page.getByText('This workspace is not trusted').first().waitFor();
    await editor.screenshot('refusals-untrusted');
    await editor.command('DevSquad: Start a Run…');
    await notification(editor, 'Workspace not trusted: you can read, not run.').waitFor();
    await editor.command('Notifications: Clear All Notifications');
    await openLink(editor, LINK);
    await clickInDialog(editor, 'Open');
    await notification(editor, 'Workspace not trusted: you can read, not run.').waitFor();
    assert.equal(existsSync(path.join(editor.homeFolder, '.devsquad')), false);

    // What a terminal began is to be seen, and answered where the person trusts the folder.
    const { exitCode, stderr } = await devsquadBeside(editor, 'run', '--workspace', workspace, '--json').end;
    assert.equal(exitCode, 3, stderr);
    const begun = await waitingAtTerminal(editor, workspace);
    await treeItem(editor, /^Accept the plan/).waitFor();
    await clearNotifications(editor);
    for (const command of ['Answer What Waits…', 'Accept Plan…', 'Recover']) {
      await editor.command(`DevSquad: ${command}`);
      await notification(editor, 'Workspace not trusted: you can read, not run.').waitFor();
      await clearNotifications(editor);
    }
    await treeItem(editor, /^Accept the plan/).click();
    await notification(editor, 'Workspace not trusted: you can read, not run.').waitFor();
    await editor.screenshot('refusals-untrusted-waits');
    assert.equal(await editor.page.locator('.monaco-dialog-box').count(), 0);
    assert.deepEqual(await waitingAtTerminal(editor, workspace), begun);

    await editor.command('Workspaces: Manage Workspace Trust');
    await editor.page.getByRole('button', { name: 'Trust', exact: true }).click();
    await notification(editor, /DevSquad goes on: .* was taken up while it was planned/).waitFor();
    await editor.command('DevSquad: Accept Plan…');
    await clickInDialog(editor, 'Accept plan');
    await treeItem(editor, /^Accept the plan/).waitFor({ state: 'detached' });
    await editor.command('DevSquad: Emergency Stop');
    await treeItem(editor, /stopped, can go on/i).waitFor();
  }).timeout(200_000);

  it('ends in a sentence that says what to do: a model that is not there, and no folder', async () => {
    editor = await startEditor({ folder: workspace, settings: { 'devsquad.model': 'editor:vendor/gone' } });
    await openSideBar(editor);
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', 'Add a feature');
    await notification(editor, 'No language model is available in VS Code: sign in to Copilot').waitFor();
    assert.equal(await lastRun(editor), undefined);
    await editor.screenshot('refusals-no-model');

    await editor.page.goto(`http://${editor.authority}/?ew=true`);
    await openSideBar(editor);
    await editor.page.getByText('The team works on a folder, and none is open.').first().waitFor();
    await editor.command('DevSquad: Start a Run…');
    await notification(editor, 'The team works on a folder, and none is open.').waitFor();
    await editor.command('Notifications: Clear All Notifications');
    await openLink(editor, LINK);
    await clickInDialog(editor, 'Open');
    await notification(editor, 'The team works on a folder, and none is open.').waitFor();
  });
});
