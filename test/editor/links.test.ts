import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { planTask, serveScene } from '../support/scriptedRun.ts';
import type { ScriptedServer } from '../support/scriptedServer.ts';
import {
  clickInDialog,
  notification,
  openLink,
  openSideBar,
  runThat,
  runsOf,
  sampleWorkspace,
} from '../support/workbench.ts';

const US = 'vibe-devsquad.devsquad';
const WORDS = 'Port it to C++\nand [so](command:workbench.action.quit) on \u202Egnp.exe <b>javascript:x</b>';
/** Links after an answer are left alone that long, and a little more. */
const QUIET_MS = 3_500;

describe('a link into VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;
  let addresses: string;

  before(async () => {
    workspace = sampleWorkspace();
    addresses = path.join(path.dirname(workspace), 'addresses.json');
    server = await serveScene({ tasks: [planTask('one')], lines: {} });
    editor = await startEditor({
      extensions: [projectFolder, path.join(projectFolder, 'test/support/callbackLinks')],
      env: {
        CALLBACK_LINKS: JSON.stringify([1, 2, 3, 4, 5].map((each) => `${US}/run?objective=Flood%20number%20${each}`)),
        CALLBACK_ADDRESSES: addresses,
      },
      folder: workspace,
      settings: {
        'devsquad.model': 'openai:scripted',
        'devsquad.openai.baseUrl': server.baseUrl,
        // What a person lets go ahead unseen does not go ahead for a link.
        'devsquad.approve': ['plan', 'commands', 'writes'],
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

  it('shows all its words as words, and nothing begins where nobody confirms it', async () => {
    const { page } = editor;
    await openLink(editor, `vscode://${US}/run?objective=${encodeURIComponent(WORDS)}`);
    // VS Code itself asks once for each extension.
    await page.getByText('Do not ask me again for this extension').click();
    await clickInDialog(editor, 'Open');
    const dialog = page.locator('.monaco-dialog-box').filter({ hasText: 'A link asks to start a run' });
    await dialog.waitFor();
    await page.waitForTimeout(600);
    await editor.screenshot('links-01-confirm');
    assert.equal(await dialog.locator('a[href], b, img').count(), 0);
    const said = await clickInDialog(editor, 'Cancel');
    assert.ok(
      said.includes('│ Port it to C++\n│ and [so](command:workbench.action.quit) on ⟨U+202E⟩gnp.exe <b>'),
      said,
    );
    assert.deepEqual(await runsOf(editor), []);
  });

  it('is refused in a sentence that names what it must not carry', async () => {
    await editor.page.waitForTimeout(QUIET_MS);
    await openLink(editor, `vscode://${US}/run?objective=x&approve=all`);
    await notification(editor, 'This link was not followed. It has the parameter “approve”.').waitFor();
    await editor.page.waitForTimeout(600);
    await editor.screenshot('links-02-refused');
  });

  it('is asked about once where a flood of them comes, and what is confirmed waits with its plan', async () => {
    const { page } = editor;
    const outside = await page.context().newPage();
    await outside.waitForTimeout(QUIET_MS);
    for (const address of JSON.parse(readFileSync(addresses, 'utf8')) as string[]) {
      await outside.goto(address);
    }
    await outside.close();
    assert.match(await clickInDialog(editor, 'Start the Run'), /│ Flood number \d\n/);
    const run = await runThat(editor, ({ requests }) =>
      Object.values(requests).some(({ subject }) => subject.kind === 'plan'),
    );
    assert.match(run.objective, /^Flood number \d$/);
    assert.equal((await runsOf(editor)).length, 1);
    assert.equal(await page.locator('.monaco-dialog-box').count(), 0);
    await editor.command('DevSquad: Emergency Stop');
    await runThat(editor, ({ stopped }) => stopped);
  });
});
