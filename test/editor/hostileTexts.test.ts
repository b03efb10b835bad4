import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { call, finish, inOrder, planTask, serveScene } from '../support/scriptedRun.ts';
import type { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInDialog,
  notification,
  openSideBar,
  runThat,
  sampleWorkspace,
  treeItem,
} from '../support/workbench.ts';

const scriptedModels = path.join(projectFolder, 'dist/test/scriptedModels');
const HOST = 'carried-away.test';

/** Everything by which a text gets a view to load, to run or to lead somewhere. */
const tricks = (who: string): string =>
  [
    `${who} ![i](https://${HOST}/${who}.png)`,
    `[click](command:workbench.action.quit)`,
    `[go](https://${HOST}/go)`,
    `<img src="https://${HOST}/t.png" onerror="window.owned=1">`,
    `<a href="command:workbench.action.quit">x</a>`,
    `$(check) \u202Egnp.exe \u001b[31m`,
  ].join(' ');

describe('hostile texts of models in VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;
  /** Requests that carry something away. */
  const carried: string[] = [];

  before(async () => {
    workspace = sampleWorkspace();
    const one = planTask('one', { title: tricks('Title').slice(0, 120), description: tricks('Description') });
    server = await serveScene({
      tasks: [{ ...one, acceptance: [{ kind: 'files', absent: [tricks('check')] }] }],
      lines: {
        one: inOrder(
          call('report_progress', { percent: 10, note: tricks('Note').slice(0, 300) }),
          call('ask_human', { question: tricks('Question') }),
          call('ask_human', {
            question: tricks('Choice'),
            options: [`Option $(check) \u202Egnp.exe [x](command:workbench.action.quit)`, 'Neither'],
          }),
          call('write_file', { path: '.vimrc', content: `${tricks('Line')}\n`.repeat(40) }),
          call('run_command', { command: `false ${tricks('Command')}` }),
          finish(),
        ),
      },
    });
    editor = await startEditor({
      extensions: [projectFolder, scriptedModels],
      folder: workspace,
      settings: {
        'devsquad.model': 'openai:scripted',
        'devsquad.openai.baseUrl': server.baseUrl,
        'devsquad.approve': [],
        'workbench.colorTheme': 'Default Dark Modern',
      },
    });
    editor.page.on('request', (request) => {
      if (request.url().includes(HOST)) {
        carried.push(request.url());
      }
    });
    await openSideBar(editor);
  });

  after(async () => {
    await editor.stop();
    await server.close();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  /** Fails when anything on screen, in whatever frame, leads to a command, was loaded from elsewhere, or ran. */
  async function isHarmless(picture: string): Promise<void> {
    await editor.page.waitForTimeout(400);
    await editor.screenshot(picture);
    for (const frame of editor.page.frames()) {
      assert.deepEqual(await found(frame), [], `${picture}: ${frame.url().slice(0, 80)}`);
    }
    assert.deepEqual(carried, [], picture);
  }

  /** A bare web address may be a link: whoever clicks it is asked by VS Code. */
  const found = (frame: Frame): Promise<string[]> =>
    frame
      .evaluate((host) => {
        const targets = (selector: string, ...names: string[]): string[] =>
          [...document.querySelectorAll(selector)].flatMap((element) =>
            names.map((name) => element.getAttribute(name) ?? ''),
          );
        const wrong = [
          ...targets('a, [data-href]', 'href', 'data-href').filter((target) =>
            /^(?:command:work|javascript:)/.test(target),
          ),
          ...targets('img, iframe, source', 'src', 'srcset').filter((target) => target.includes(host)),
        ];
        return 'owned' in window ? [...wrong, 'it ran'] : wrong;
      }, HOST)
      // A frame that went meanwhile shows nothing.
      .catch(() => []);

  it('are words in the plan and its dialog', async () => {
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', tricks('Objective'));
    await editor.page.getByRole('tab', { name: /Plan\.md/ }).waitFor();
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Accept plan…' }).waitFor();
    await isHarmless('hostile-01-plan');
    await editor.command('Markdown: Open Preview to the Side');
    await editor.webview('text=Objective');
    await isHarmless('hostile-02-preview');
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Accept plan…' }).click();
    await isHarmless('hostile-03-plan-dialog');
    assert.match(await clickInDialog(editor, 'Accept plan'), /command:workbench/);
  });

  it('are words in the message and the prompt of a question, in lists and in trees', async () => {
    await notification(editor, /asks: Question/).waitFor();
    await treeItem(editor, /Title/).first().waitFor();
    await isHarmless('hostile-04-question');
    await editor.command('DevSquad: Answer What Waits…');
    const prompt = editor.page.locator('.quick-input-widget').filter({ hasText: 'Question' });
    await prompt.waitFor();
    await isHarmless('hostile-05-prompt');
    await prompt.locator('input').first().fill('No.');
    await editor.page.keyboard.press('Enter');

    await notification(editor, /asks: Choice/).waitFor();
    await editor.command('DevSquad: Answer What Waits…');
    const options = editor.page.locator('.quick-input-widget .monaco-list-row').filter({ hasText: 'Option' });
    await options.waitFor();
    await isHarmless('hostile-06-options');
    assert.equal(await options.locator('.codicon-check').count(), 0);
    assert.match(await options.innerText(), /\$\(check\).*⟨U\+202E⟩/);
    await editor.page.keyboard.press('ArrowDown');
    await editor.page.keyboard.press('Enter');
  });

  it('are words in the dashboard, the trees, a request as a document, and the chat', async () => {
    await treeItem(editor, /^Write \.vimrc/)
      .first()
      .waitFor();
    await editor.command('DevSquad: Open Dashboard');
    await (await editor.webview('main.dashboard')).getByText('Title').first().waitFor();
    await isHarmless('hostile-07-dashboard');
    await editor.command('DevSquad: Answer What Waits…');
    await editor.page.getByRole('tab', { name: /What waits for you/ }).waitFor();
    await isHarmless('hostile-08-document');

    await editor.page.locator('.interactive-input-part .monaco-editor').click();
    for (const word of ['@devsquad /status', '/plan', '/approve']) {
      await editor.page.keyboard.type(word);
      await editor.page.keyboard.press('Escape');
      await editor.page.keyboard.press('Enter');
      await editor.page.waitForTimeout(1500);
      await isHarmless(`hostile-09-chat-${word.replace(/\W+/g, '')}`);
    }
    assert.ok((await editor.page.locator('.interactive-response').last().innerText()).length > 10);
  });

  it('are words where the run ends', async () => {
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Answer…' }).first().click();
    await clickInDialog(editor, 'Refuse');
    await treeItem(editor, /^Run false/)
      .first()
      .waitFor();
    await editor.command('DevSquad: Answer What Waits…');
    await isHarmless('hostile-10-command');
    await clickInDialog(editor, 'Refuse');
    await runThat(editor, ({ phase }) => phase === 'ended');
    await notification(editor, /Done/).waitFor();
    await isHarmless('hostile-11-end');
  });
});
