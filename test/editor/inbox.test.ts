import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { call, finish, inOrder, planTask, serveScene } from '../support/scriptedRun.ts';
import { writeServer } from '../support/mcpServerFile.ts';
import type { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInDialog,
  lastRun,
  notification,
  openSideBar,
  pick,
  runThat,
  sampleWorkspace,
  treeItem,
} from '../support/workbench.ts';

const SERVER = call('list_server_tools', { server: 'docs' });
const CALL = call('call_server_tool', { server: 'docs', tool: 'add', arguments: { a: 20, b: 22 } });
const SHARED = call('run_command', { command: 'sort -o sorted.txt README.md' });

describe('the inbox in VS Code', () => {
  let workspace: string;
  let server: ScriptedServer;
  let editor: Editor;

  before(async () => {
    workspace = sampleWorkspace();
    mkdirSync(path.join(workspace, '.devsquad'));
    writeFileSync(path.join(workspace, '.devsquad/policy.json'), '{ "refuse": ["make"] }\n');
    writeServer(workspace);
    mkdirSync(path.join(workspace, '.vscode'), { recursive: true });
    const docs = { command: 'node', args: ['tools/server.mjs'], env: { DOCS: 'here' } };
    writeFileSync(path.join(workspace, '.vscode/mcp.json'), JSON.stringify({ servers: { docs } }));
    server = await serveScene({
      tasks: [planTask('one'), planTask('two'), planTask('three', { dependsOn: ['one'] })],
      lines: {
        one: inOrder(SHARED, call('run_tests', {}), finish()),
        two: inOrder(SHARED, call('run_command', { command: 'sort -o more.txt README.md package.json' }), finish()),
        // An address and no name, so that nothing has to be resolved.
        three: inOrder(
          call('run_tests', {}),
          call('fetch_url', { url: 'http://93.184.216.34/a?b=c' }),
          SERVER,
          CALL,
          finish(),
        ),
      },
    });
    editor = await startEditor({
      folder: workspace,
      settings: {
        'devsquad.model': 'openai:scripted',
        'devsquad.openai.baseUrl': server.baseUrl,
        'devsquad.approve': ['plan', 'writes'],
        'devsquad.mcpServers': ['docs', 'of-another-workspace'],
        'devsquad.requestMinutes': 60,
        'devsquad.prices': { 'openai/scripted': { input: 2, output: 8 } },
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

  const picture = async (name: string): Promise<void> => {
    await editor.page.waitForTimeout(600);
    await editor.screenshot(`inbox-${name}`);
  };

  /** By the command, for a list that is drawn anew may swallow a click. `among`: several wait. */
  const open = async (name: RegExp, among?: string): Promise<void> => {
    await treeItem(editor, name).waitFor();
    await editor.command('DevSquad: Answer What Waits…');
    if (among !== undefined) {
      await pick(editor, 'What waits for you', among);
    }
  };

  it('asks once for two agents that want the same', async () => {
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', 'Sort the house.');
    await open(/^Run sort -o sorted\.txt README\.md, asked by coding-\d, coding-\d/);
    await picture('02-same');
    const says = await clickInDialog(editor, 'Allow');
    assert.match(says, /coding-\d waits for the same: your answer is for all\./);
    assert.match(says, /If nobody answers within 1 hour, it counts as refused\./);
  });

  it('allows the words with other files for the run, once the person has seen what that is', async () => {
    const more = treeItem(editor, /^Run sort -o more\.txt/);
    await treeItem(editor, /^Run npm test/).waitFor();
    await editor.page.getByRole('tab', { name: /^DevSquad.* 2 wait for you/ }).waitFor();
    // Begun on the dashboard, whose button only asks.
    await editor.command('DevSquad: Open Dashboard');
    const dashboard = await editor.webview('main.dashboard');
    await dashboard.getByRole('button', { name: /^Answer…: .*sort -o more\.txt/ }).click();
    await editor.page.locator('.monaco-dialog-box').waitFor();
    assert.equal((await lastRun(editor))?.phase, 'working');
    await picture('02-from-dashboard');
    await clickInDialog(editor, 'Allow More…');
    await picture('03-choices');
    await pick(editor, 'Allow more than this once', 'for the rest of this run');
    await picture('04-confirm');
    assert.match(await clickInDialog(editor, 'Allow'), /sort -o more\.txt README\.md package\.json/);
    await more.waitFor({ state: 'detached' });
    await dashboard.getByRole('button', { name: /^Answer…: .*sort -o more\.txt/ }).waitFor({ state: 'detached' });
    await editor.page.getByRole('tab', { name: /^DevSquad.* 1 waits for you/ }).waitFor();
  });

  it('saves a rule that the person has read', async () => {
    await open(/^Run npm test/);
    await picture('05-tests');
    assert.match(await clickInDialog(editor, 'Allow More…'), /It runs "test" of package\.json:/);
    await pick(editor, 'Allow more than this once', 'as a rule of this workspace');
    await picture('06-rule');
    assert.match(await clickInDialog(editor, 'Save rule'), /while what it runs is unchanged/);
    // The third task runs them as well, and nobody is asked.
    await treeItem(editor, /^Fetch http:\/\/93\.184\.216\.34/).waitFor();
    // Two of its kind are done by now.
    await editor.command('DevSquad: Open Dashboard');
    const cost = (await editor.webview('main.dashboard')).getByRole('region', { name: 'Cost' });
    await cost.getByText(/^about \$\d\.\d+.*tokens to go$/).waitFor();
    await picture('07-to-go-dark');
    await editor.command('Preferences: Toggle between Light/Dark Themes');
    await picture('07-to-go-light');
    await editor.command('Preferences: Toggle between Light/Dark Themes');
    await open(/^Fetch http:\/\/93\.184\.216\.34/);
    await picture('08-fetch');
    assert.match(await clickInDialog(editor, 'Refuse'), /93\.184\.216\.34/);
  });

  it('starts a server, and calls its tool, once the person has seen what that is', async () => {
    // With all of the program that it runs, so it is a document with the question behind it.
    const read = async (name: RegExp, says: string, button: string): Promise<void> => {
      await open(name);
      await editor.page.getByText(says).first().waitFor();
      await picture(button === 'Allow' ? '11-server' : '12-tool');
      await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Answer…' }).click();
      assert.match(await clickInDialog(editor, button), /in the editor behind this dialog/);
    };
    await read(/^Start the MCP server docs/, 'It gets DOCS=here', 'Allow');
    await read(/^Call add of the MCP server docs/, '│ Adds a and b.', 'Allow More…');
    await pick(editor, 'Allow more than this once', 'for the rest of this run');
    await picture('13-tool-for-the-run');
    assert.match(await clickInDialog(editor, 'Allow'), /tool’s description are unchanged/);
  });

  it('takes a rule back', async () => {
    const run = await runThat(editor, ({ phase }) => phase === 'ended');
    assert.equal(run.status, 'succeeded', run.reason);
    assert.equal(Object.values(run.requests).filter(({ grantedBy }) => grantedBy !== undefined).length, 2);
    assert.equal(run.rules.length, 1);

    await editor.command('DevSquad: Rules…');
    await picture('07-rules');
    await pick(editor, 'Rules of this workspace', 'npm test');
    await clickInDialog(editor, 'Take it back');
    await editor.command('DevSquad: Rules…');
    await notification(editor, 'There are no rules').waitFor();
  });

  it('shows what agents may do, and judges a command while it is typed', async () => {
    await editor.command('DevSquad: Show What Agents May Do');
    await editor.page.getByText('What agents may do').first().waitFor();
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Test a command…' }).waitFor();
    await picture('09-policy');
    await editor.page.locator('.codelens-decoration a').filter({ hasText: 'Test a command…' }).click();
    const box = editor.page.locator('.quick-input-widget');
    for (const [command, says] of [
      ['git status', 'Runs without a question.'],
      ['npm run build', 'Asks you first. npm run is not on the list.'],
      ['make all', 'Refused, whoever asks for it. The policy of this workspace refuses make.'],
    ] as const) {
      await box.locator('input').fill(command);
      await box.getByText(says).waitFor();
      await picture(`10-${command.replace(' ', '-')}`);
    }
    await editor.page.keyboard.press('Escape');
  });
});
