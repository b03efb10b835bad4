import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { call, finish, inOrder, planTask, scriptOf } from '../support/scriptedRun.ts';
import { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInNotification,
  notification,
  openSideBar,
  pick,
  runThat,
  sampleWorkspace,
  treeItem,
} from '../support/workbench.ts';

const LETTER = 'The store keeps tags in lower case.';

describe('the team in VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;

  before(async () => {
    workspace = sampleWorkspace();
    const script = scriptOf({
      tasks: [planTask('writer'), planTask('reader')],
      lines: {
        // Two of the team went before the run began.
        writer: inOrder(
          call('send_message', { to: 'coding-3', type: 'coordination', content: LETTER }),
          call('ask_human', { question: 'May I finish?', options: ['Yes'] }),
          finish(),
        ),
        reader: inOrder(call('ask_human', { question: 'What next?', options: ['Go on'] }), finish()),
      },
    });
    let isBusy = true;
    server = await ScriptedServer.start((request) => {
      if (isBusy && request.taskId.endsWith('writer')) {
        isBusy = false;
        return { fault: 'status', status: 429, message: 'Too many requests', retryAfter: '12' };
      }
      return script(request);
    });
    editor = await startEditor({
      folder: workspace,
      settings: {
        'devsquad.model': 'openai:scripted',
        'devsquad.openai.baseUrl': server.baseUrl,
        'devsquad.approve': ['plan', 'commands', 'writes'],
        'devsquad.limits': { agentTokens: -5 },
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

  const agent = (id: string) => treeItem(editor, new RegExp(`^${id}, `));
  const list = (text: string) => editor.page.locator('.quick-input-widget').filter({ hasText: text });
  const picture = async (name: string): Promise<void> => {
    // Lists and messages fade in.
    await editor.page.waitForTimeout(400);
    await editor.screenshot(`team-${name}`);
  };

  it('begins nothing with a limit that cannot be, and leads to the setting', async () => {
    await editor.command('DevSquad: Start a Run…');
    const told = 'agentTokens takes a whole number from 1, not -5.';
    await clickInNotification(editor, told, 'Open the Setting', 'team-01-limit');
    const settings = editor.page.locator('.settings-editor');
    await settings.getByText('Value must be greater than or equal to 1').waitFor();
    await picture('02-setting');
    const row = settings.locator('.setting-list-row').filter({ hasText: 'agentTokens' });
    const editing = settings.locator('.setting-list-edit-row');
    // The first click only chooses the setting, and a list that is drawn anew meanwhile swallows one.
    while (!(await editing.isVisible())) {
      await row.click();
      await row.hover();
      await row
        .locator('.codicon-settings-edit')
        .click({ timeout: 2000 })
        .catch(() => undefined);
      await editor.page.waitForTimeout(300);
    }
    await editing.locator('input').fill('400000');
    await editing.getByRole('button', { name: 'OK' }).click();
    await settings.getByText('Value must be greater').waitFor({ state: 'hidden' });
    await picture('02-mended');
    await editor.page
      .getByRole('button', { name: /^Close/ })
      .filter({ visible: true })
      .last()
      .click();
    await settings.waitFor({ state: 'hidden' });
  });

  it('has as many agents of a role as the person chooses in the palette', async () => {
    await editor.command('DevSquad: Scale Agents…');
    await list('Scale which agents?').waitFor();
    await picture('03-role');
    await pick(editor, 'Scale which agents?', 'Coding');
    await list('How many coding agents?').waitFor();
    await picture('04-number');
    await pick(editor, 'How many coding agents?', '3');
    await agent('coding-3').waitFor();
    await editor.page.getByText('coding kept at 3').waitFor();
    await picture('05-three');
  });

  it('has fewer by an agent’s menu, and then as many as the work needs', async () => {
    await agent('coding-2').click({ button: 'right' });
    await picture('06-menu');
    await editor.page.getByRole('menuitem', { name: 'Scale Agents…' }).click();
    await list('How many coding agents?').waitFor();
    await picture('07-number');
    await pick(editor, 'How many coding agents?', '1');
    await agent('coding-3').waitFor({ state: 'detached' });
    assert.deepEqual([await agent('coding-1').count(), await agent('coding-2').count()], [1, 0]);

    await editor.command('DevSquad: Scale Agents…');
    await pick(editor, 'Scale which agents?', 'Coding');
    await pick(editor, 'How many coding agents?', 'As many');
    await agent('coding-1').waitFor({ state: 'detached' });

    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', 'Write to somebody who is gone');
    // One for each task that waits.
    for (const id of ['coding-4', 'coding-5']) {
      await agent(id).waitFor();
    }
    const { options } = await runThat(editor, ({ phase }) => phase === 'working');
    assert.deepEqual(options.limits, { agentTokens: 400_000 });
  });

  it('says until when a task waits for its model, and goes on by itself', async () => {
    await treeItem(editor, /^Task writer, goes on at \d\d:\d\d \(model\)/).waitFor();
    await picture('08-parked');
    await treeItem(editor, /^Task writer, waits for you/).waitFor();
  });

  it('gets a message that nobody could read when it is sent again from the tree', async () => {
    const letter = treeItem(editor, /^A message from coding-[45] to coding-3 was not delivered/);
    await letter.hover();
    await picture('09-not-delivered');
    await letter.getByRole('button', { name: 'Send a Message Again…' }).click();
    await list('Send to whom?').waitFor();
    await picture('10-to-whom');
    // It may still be on its way to its first question.
    await treeItem(editor, /^What next\?/).waitFor();
    const reader = server.requests.find(({ taskId }) => taskId.endsWith('reader'))?.agentId;
    assert.ok(reader, 'nobody works on the reader');
    await pick(editor, 'Send to whom?', reader);
    await letter.waitFor({ state: 'detached' });
    await picture('11-sent');

    await editor.command('DevSquad: Send a Message Again…');
    await notification(editor, 'there is nothing to send again').waitFor();
    for (const [question, answer] of [
      ['What next?', 'Go on'],
      ['May I finish?', 'Yes'],
    ] as const) {
      await treeItem(editor, new RegExp(`^${question.replace('?', '\\?')}`)).click();
      await pick(editor, 'asks', answer);
    }
    const run = await runThat(editor, ({ phase }) => phase === 'ended');
    await picture('11-over');

    const [sent] = Object.values(run.messages).filter(({ content }) => 'text' in content && content.text === LETTER);
    assert.deepEqual([sent?.status, sent?.receiver.id, sent?.refusals], ['processed', reader, 0]);
    const heard = server.requests.filter(({ taskId }) => taskId.endsWith('reader')).at(-1)?.conversation ?? [];
    assert.equal(heard.filter(({ text }) => text.includes(LETTER)).length, 1);
    assert.equal(run.status, 'succeeded', run.reason);
  });
});
