import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { projectFolder } from '../../scripts/project.ts';
import { textsBelow } from '../support/contrast.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';

describe('the dashboard as an editor tab', () => {
  const extension = mkdtempSync(path.join(tmpdir(), 'dashboard-host-'));
  const complaints: string[] = [];
  let editor: Editor;

  before(async () => {
    await buildExtension(extension);
    editor = await startEditor({
      extensions: [extension],
      prepare: (page) => {
        page.on('console', (message) => {
          const isOurs = /dist\/webview\/|fake\.html/.test(message.location().url);
          if (isOurs && message.text().includes('Content Security Policy')) {
            complaints.push(message.text());
          }
        });
        return Promise.resolve();
      },
    });
    await editor.command('Dashboard Host: Open');
  });

  after(async () => {
    await editor.stop();
    rmSync(extension, { recursive: true, force: true });
  });

  it('shows the squad, under its policy', async () => {
    const frame = await editor.webview('main.dashboard');

    await frame.getByRole('heading', { level: 1, name: 'Greet' }).waitFor();
    await frame.getByRole('button', { name: /^Answer…/ }).waitFor();
    await frame.evaluate(() => document.fonts.ready.then(() => undefined));
    assert.ok(await frame.evaluate(() => document.fonts.check('16px codicon')));
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      await frame.evaluate(textsBelow, 4.5),
      [],
      'texts that are too faint in the theme of this VS Code',
    );
    await editor.screenshot('dashboard-panel');
  });

  it('hands an answer to the command that asks', async () => {
    const frame = await editor.webview('main.dashboard');

    await frame.getByRole('button', { name: /^Answer…/ }).click();

    await editor.page.getByText('Asked for devsquad.answerApproval with r-1').first().waitFor();
  });

  it('is one, also when it is opened twice', async () => {
    await editor.command('Dashboard Host: Open');

    assert.equal(await editor.page.getByRole('tab', { name: 'DevSquad: Dashboard' }).count(), 1);
  });

  it('says when there is no squad any more, and goes on when there is one again', async () => {
    const frame = await editor.webview('main.dashboard');

    await editor.command('Dashboard Host: Toggle the Squad');
    await frame.getByRole('alert').getByText('What you see below is not live.').waitFor();
    await editor.command('Dashboard Host: Prove');
    await editor.command('Dashboard Host: Toggle the Squad');

    await frame.getByRole('alert').waitFor({ state: 'detached' });
    await frame.getByRole('region', { name: 'Tasks' }).getByText('1 of 1 proven').waitFor();
  });

  it('is up to date when it comes back into sight', async () => {
    await editor.command('Help: Welcome');
    await editor.page.getByRole('tab', { name: 'DevSquad: Dashboard' }).click();

    const frame = await editor.webview('main.dashboard');
    await frame.getByRole('region', { name: 'Tasks' }).getByText('1 of 1 proven').waitFor();
  });

  it('is back after a reload of the window', async () => {
    await editor.writtenDown('devsquad.dashboard');
    await editor.reload();
    // Which of the two tabs was in front may be written down later than that there are two.
    await editor.page.getByRole('tab', { name: 'DevSquad: Dashboard' }).click();

    const frame = await editor.webview('main.dashboard');
    await frame.getByRole('heading', { level: 1, name: 'Greet' }).waitFor();
    assert.equal(await editor.page.getByRole('tab', { name: 'DevSquad: Dashboard' }).count(), 1);
    assert.deepEqual(complaints, []);
  });
});

/** The panel with what it needs, as a small extension: the page that was built, and one script. */
async function buildExtension(folder: string): Promise<void> {
  await build({
    entryPoints: [path.join(projectFolder, 'test/support/dashboardHost.ts')],
    outfile: path.join(folder, 'extension.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['vscode'],
    logLevel: 'warning',
  });
  cpSync(path.join(projectFolder, 'dist/webview'), path.join(folder, 'dist/webview'), { recursive: true });
  const command = (id: string, title: string): object => ({
    command: `dashboardHost.${id}`,
    title,
    category: 'Dashboard Host',
  });
  const manifest = {
    name: 'dashboard-host',
    publisher: 'test',
    version: '1.0.0',
    engines: { vscode: '^1.104.0' },
    main: './extension.cjs',
    activationEvents: ['onWebviewPanel:devsquad.dashboard'],
    contributes: {
      commands: [command('open', 'Open'), command('toggleSquad', 'Toggle the Squad'), command('prove', 'Prove')],
    },
  };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
}
