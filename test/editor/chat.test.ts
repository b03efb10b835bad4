import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import { chooseRehearsal } from '../../src/llm/rehearsal.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { readRehearsals } from '../support/rehearsals.ts';
import { clickInDialog, lastRun, sampleWorkspace } from '../support/workbench.ts';

const scriptedModels = path.join(projectFolder, 'dist/test/scriptedModels');
const settings = { 'devsquad.approve': ['commands', 'writes'], 'devsquad.model': 'editor:scripted/good' };

describe('@devsquad in the chat', () => {
  let editor: Editor;
  let workspace: string;
  let objective: string;

  before(async () => {
    ({ objective } = chooseRehearsal(await readRehearsals()));
    workspace = sampleWorkspace();
    editor = await startEditor({ extensions: [projectFolder, scriptedModels], folder: workspace, settings });
  });

  after(async () => {
    await editor.stop();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  /** Types into the chat and sends; answers the newest response. After the first time `@devsquad` stays in the input. */
  const say = async (text: string): Promise<Locator> => {
    const { page } = editor;
    await page.locator('.interactive-input-part .monaco-editor').click();
    await page.keyboard.type(text);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    // Older ones leave the list's DOM, so they cannot be counted; the locator looks anew each time it is asked.
    return page.locator('.interactive-response').last();
  };

  it('plans, asks, runs, and answers with the result and its buttons', async () => {
    const { page } = editor;
    await page.locator('.interactive-input-part', { hasText: /scripted|good/i }).waitFor();
    const response = await say(`@devsquad /run ${objective}`);
    await response.getByText('Plan 1.').waitFor();
    await editor.screenshot('chat-1-plan');
    await response.getByRole('button', { name: 'Accept plan…' }).click();
    await clickInDialog(editor, 'Accept plan');
    await response.getByText('Done and proven').waitFor();
    for (const name of ['Review', 'Apply…', 'Make a branch…', 'Discard…']) {
      await response.getByRole('button', { name }).waitFor();
    }
    await editor.screenshot('chat-2-result');
    assert.equal((await lastRun(editor))?.status, 'succeeded');
  }).timeout(180_000);

  it('says how far it is, who works, and what waits', async () => {
    const status = await say('/status');
    await status.getByText('ready for review').waitFor();
    const agents = await say('/agents');
    // On a slow machine it has had more than one task by then.
    await agents.getByText('coding-1').first().waitFor();
    const approve = await say('/approve');
    await approve.getByText('Nothing waits for you.').waitFor();
    const plan = await say('/plan');
    await plan.getByText('Plan 1.').waitFor();
    const stop = await say('/stop');
    await stop.getByText('Nothing runs now.').waitFor();
    await editor.screenshot('chat-3-status');
  });
});
