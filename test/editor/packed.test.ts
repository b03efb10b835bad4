import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packExtension } from '../../scripts/packExtension.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { clickInDialog, openSideBar, pick, sampleWorkspace, treeItem } from '../support/workbench.ts';

describe('the packed extension, installed into a clean VS Code', () => {
  let editor: Editor;
  let workspace: string;
  const folder = mkdtempSync(path.join(tmpdir(), 'packed-'));

  before(async function () {
    workspace = sampleWorkspace();
    const { file } = packExtension(folder);
    editor = await startEditor({ extensions: [], vsixFiles: [file], folder: workspace });
  });

  after(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it('plans and works: its threads, its SQLite and its rehearsal are in the file', async () => {
    await openSideBar(editor);
    await editor.command('DevSquad: Start a Run…');
    await pick(editor, 'Which model should the team use?', 'Rehearsal');
    await pick(editor, 'Start a run (rehearsal)', 'tags');
    await editor.page.getByRole('tab', { name: /Plan\.md/ }).waitFor();
    await editor.page.getByRole('button', { name: 'Accept plan…' }).first().click();
    assert.match(await clickInDialog(editor, 'Accept plan'), /node --test/);
    await treeItem(editor, /^coding-1, coding agent/).waitFor();
    await treeItem(editor, /^Tags and search, (?:working|waits for you)/).waitFor();
  });
});
