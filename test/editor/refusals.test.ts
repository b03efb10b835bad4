import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { answerInput, lastRun, notification, openSideBar, sampleWorkspace } from '../support/workbench.ts';

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
    assert.equal(existsSync(path.join(editor.homeFolder, '.devsquad')), false);
  });

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
  });
});
