import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import { costWords, spentWords } from '../../src/domain/phaseWords.ts';
import { openRequests } from '../../src/domain/requestState.ts';
import { chooseRehearsal } from '../../src/llm/rehearsal.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { readRehearsals } from '../support/rehearsals.ts';
import { clickInDialog, lastRun, sampleWorkspace } from '../support/workbench.ts';

const scriptedModels = path.join(projectFolder, 'dist/test/scriptedModels');
const settings = {
  'devsquad.approve': ['writes'],
  'devsquad.allowedCommands': ['npm test', 'node --test'],
  'devsquad.model': 'editor:scripted/asking',
  'devsquad.prices': { 'editor/scripted/asking': { input: 2, output: 8 } },
};

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

  const waiting = async (): Promise<string[]> => {
    const run = await lastRun(editor);
    return run ? openRequests(run).flatMap(({ subject }) => (subject.kind === 'command' ? [subject.command] : [])) : [];
  };

  it('plans, asks, runs, and answers with the result and its buttons', async () => {
    const { page } = editor;
    await page.locator('.interactive-input-part', { hasText: /scripted|good/i }).waitFor();
    const response = await say(`@devsquad /run ${objective}`);
    await response.getByText('Plan 1.').waitFor();
    await editor.screenshot('chat-1-plan');
    await response.getByRole('button', { name: 'Accept plan…' }).click();
    await clickInDialog(editor, 'Accept plan');

    // A command that a person has to allow: the button only asks, and a dialog that is closed answers nothing.
    await response.locator('p', { hasText: /^coding-\d waits for you: Run npm pkg get name$/ }).waitFor();
    await editor.screenshot('chat-2-command');
    const answer = response.getByRole('button', { name: 'Answer…' });
    await answer.click();
    await page.locator('.monaco-dialog-box').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.monaco-dialog-box').waitFor({ state: 'detached' });
    assert.deepEqual(await waiting(), ['npm pkg get name'], 'answered without a click on Allow');
    await answer.click();
    const whole = await clickInDialog(editor, 'Allow', 'chat-3-dialog');
    assert.match(whole, /npm pkg get name/);
    await response.getByText('Done and proven').waitFor();
    for (const name of ['Review', 'Apply…', 'Make a branch…', 'Discard…']) {
      await response.getByRole('button', { name }).waitFor();
    }
    await editor.screenshot('chat-4-result');
    const run = await lastRun(editor);
    assert.equal(run?.status, 'succeeded');
    await response.getByText(dollarsIn(spentWords(run))).waitFor();
    const command = Object.values(run.requests).find(({ subject }) => subject.kind === 'command');
    assert.deepEqual([command?.answer?.kind, command?.door], ['allow', 'editor']);
  }).timeout(180_000);

  it('says how far it is, who works, and what waits', async () => {
    const status = await say('/status');
    await status.getByText('ready for review').waitFor();
    const run = await lastRun(editor);
    assert.ok(run);
    await status.getByText(`${dollarsIn(costWords(run))} used`).waitFor();
    const agents = await say('/agents');
    // On a slow machine it has had more than one task by then.
    await agents.getByText('coding-1').first().waitFor();
    const approve = await say('/approve');
    await approve.getByText('Nothing waits for you.').waitFor();
    const plan = await say('/plan');
    await plan.getByText('Plan 1.').waitFor();
    const stop = await say('/stop');
    await stop.getByText('Nothing runs now.').waitFor();
    await editor.screenshot('chat-5-status');
  });
});

/** What the run came to, where that is said in dollars. */
function dollarsIn(words: string): string {
  assert.match(words, / · \$\d+\.\d{2,}$/);
  return words;
}
