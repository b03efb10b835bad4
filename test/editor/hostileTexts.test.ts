import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { call, finish, inOrder, planTask, serveScene } from '../support/scriptedRun.ts';
import type { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInDialog,
  clickInNotification,
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

/** Of a link that stands elsewhere; VS Code makes a link of the address as well. */
const DEFINITION = '[c]: command:workbench.action.showAboutDialog';

/** Names of files of a result: one that reads backwards, one that a view might take for a link, an icon and a picture. */
const BACKWARDS = 'read-\u202Egnp.exe.md';
const MARKED = '[x](command:workbench.action.quit) $(check) <img src=x onerror="window.owned=1">.md';

describe('hostile texts of models in VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;
  /** Requests that carry something away. */
  const carried: string[] = [];

  before(async () => {
    workspace = sampleWorkspace();
    mkdirSync(path.join(workspace, '.devsquad'));
    writeFileSync(
      path.join(workspace, '.devsquad/policy.json'),
      JSON.stringify({
        refuse: ['![i][u]', '[go][u]', `[u]: https://${HOST}/p.png`, DEFINITION, '# Title'],
      }),
    );
    const one = planTask('one', {
      title: tricks('Title').slice(0, 120),
      description: `${tricks('Description')}\n\n${DEFINITION}`,
    });
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
          call('write_file', { path: BACKWARDS, content: `${tricks('Backwards')}\n` }),
          call('write_file', {
            path: MARKED,
            content: `[about](command:workbench.action.showAboutDialog)\n${tricks('Marked')}\n`,
          }),
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
        for (const link of document.querySelectorAll('.detected-link')) {
          if (link.textContent.includes('command:work')) {
            wrong.push(`a link in a text: ${link.textContent}`);
          }
        }
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
    await treeItem(editor, /^Write read-/)
      .first()
      .waitFor();
    await editor.command('DevSquad: Answer What Waits…');
    assert.match(await clickInDialog(editor, 'Allow', 'hostile-11-name'), /read-⟨U\+202E⟩gnp\.exe\.md/);
    await runThat(editor, ({ phase }) => phase === 'ended');
    await notification(editor, /Done/).waitFor();
    await isHarmless('hostile-12-end');
  });

  it('are words in the names and the lines of a result that is reviewed', async () => {
    await clickInNotification(editor, /Done/, 'Review');
    const { page } = editor;
    const review = page.locator('.multiDiffEditor');
    await review.getByText('Marked').first().waitFor();
    // The addresses of pages are links, for whoever means to go there; those of commands are not.
    await review.locator('.detected-link', { hasText: 'https:' }).first().waitFor();
    await isHarmless('hostile-13-review');
    await review
      .getByText('showAboutDialog')
      .first()
      .click({ modifiers: ['Control'] });
    await page.waitForTimeout(500);
    assert.equal(await page.locator('.monaco-dialog-box').count(), 0, 'a line of the result ran a command');
    const shown = await review.innerText();
    assert.match(shown, /read-⟨U\+202E⟩gnp\.exe\.md/);
    assert.ok(shown.includes(MARKED), shown);
    assert.equal(await review.locator('.codicon-check').count(), 0);
    // Monaco writes those of a line by their code points, so that no line reads otherwise than it is.
    assert.match(shown, /Backwards[^]*\[U\+202E\]gnp\.exe/);
    assert.ok(!(await page.locator('body').innerText()).includes('\u202E'), 'something on screen turns what follows');
  });

  it('are words in what a repository’s policy says', async () => {
    await editor.command('DevSquad: Show What Agents May Do');
    await editor.page.getByRole('tab', { name: /^What agents may do/ }).waitFor();
    await isHarmless('hostile-14-policy');
    // The preview of the plan goes along with what is in front.
    const preview = await editor.webview('text=Is refused, whoever asks for it');
    await preview.getByText(`[u]: https://${HOST}/p.png`).waitFor();
    await isHarmless('hostile-15-policy-preview');
    assert.equal(await preview.locator('img').count(), 0);
  });
});
