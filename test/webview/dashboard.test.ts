import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { transform } from 'esbuild';
import type { Browser } from 'playwright-core';
import { projectFolder } from '../../scripts/project.ts';
import type { RequestSubject } from '../../src/domain/approval.ts';
import { RUNTIME, type SquadEvent } from '../../src/domain/events.ts';
import { viewHtml } from '../../src/vscode/panels/viewHtml.ts';
import { textsBelow } from '../support/contrast.ts';
import { anyAgent, anyMessage, anyOptions, anyTask, EventLog, logWithWorkingTask } from '../support/builders.ts';
import { DoneTasks } from '../support/doneTasks.ts';
import { tellStory } from '../support/eventGenerator.ts';
import { MemoryLedger } from '../support/memoryLedger.ts';
import { ledgerUpTo, recordRun } from '../support/recordedRun.ts';
import { THEMES } from '../support/themes.ts';
import { FakeSquad } from '../support/viewedSquad.ts';
import { startBrowser, ViewPage, type ViewPageOptions } from '../support/viewPage.ts';

describe('the dashboard', () => {
  let browser: Browser;
  let recorded: readonly SquadEvent[];
  let view: ViewPage | undefined;

  before(async () => {
    [browser, recorded] = await Promise.all([startBrowser(), recordRun()]);
  });

  afterEach(async () => {
    const breaches = view?.breaches ?? [];
    await view?.close();
    view = undefined;
    assert.deepEqual(breaches, []);
  });

  after(() => browser.close());

  async function open(squad: FakeSquad, options?: ViewPageOptions): Promise<ViewPage> {
    view = await ViewPage.open(browser, squad, options);
    await view.caughtUp();
    return view;
  }

  /** The recorded run in the moment in which an agent asks to run a command, which nobody has answered. */
  const busySquad = (): FakeSquad =>
    new FakeSquad(
      ledgerUpTo(
        recorded,
        (event) => event.type === 'request-opened' && event.request.subject.kind === 'command' && event.sequence > 110,
      ),
    );

  it('shows a run as it stands, and follows it to its end', async () => {
    const squad = busySquad();
    const { page } = await open(squad);
    await page.getByRole('heading', { level: 1, name: /^Add tags to bookmarks/ }).waitFor();
    await page.getByText(/rehearsal: prepared answers/).waitFor();
    await page.getByRole('region', { name: 'Proven' }).getByText('of 4 tasks').waitFor();

    for (const event of recorded.filter(({ sequence }) => sequence > squad.ledger.state.sequence)) {
      squad.ledger.tell(event);
    }
    await view?.caughtUp();

    await page.getByText(/every task proven/).waitFor();
    const region = page.getByRole('region', { name: 'Waits for you' });
    await region.getByText('The proven result').waitFor();
    await region.getByText('8 files · +214 −7').waitFor();
    const run = Object.values(squad.ledger.state.runs).at(-1)!;
    const tokens = page.getByRole('region', { name: 'Tokens' });
    assert.match(await tokens.innerText(), new RegExp(run.account.usedTokens.toLocaleString('en')));
    assert.match(await page.getByRole('region', { name: 'Cost' }).innerText(), /\$0\.00[^]*A rehearsal costs nothing/);
    await page.getByRole('button', { name: 'Apply…' }).click();
    await view?.caughtUp();
    assert.deepEqual(view?.commands, [{ command: 'devsquad.applyChanges', args: [run.id] }]);
  });

  it('shows beside the cost what is left to spend, and nothing where nothing is foretold', async () => {
    const record = new DoneTasks(4);
    record.past('generate-code', [120_000, 160_000, 200_000]);
    const { id } = record.planned('generate-code');
    record.task(id, 't0', { role: 'coding', type: 'generate-code' }, 20_000);
    const squad = new FakeSquad(new MemoryLedger(record.log));
    const { page } = await open(squad);
    const cost = page.getByRole('region', { name: 'Cost' });

    await cost.getByText('about $0.40–0.72, 100k–180k tokens to go').waitFor();
    assert.equal(await cost.getByTitle('By 3 tasks done here before').count(), 1);
    await view?.screenshot('dashboard-to-go');

    squad.ledger.append({ type: 'task-proven', runId: id, taskId: `${id}.t0`, actor: RUNTIME, commit: 'c', tree: 't' });
    await view?.caughtUp();
    assert.match(await cost.innerText(), /\$0\.08/);
    assert.equal(await page.getByText('to go').count(), 0);
  });

  it('holds a run at once, and lets it go on', async () => {
    const squad = busySquad();
    const { page } = await open(squad);

    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Emergency stop' }).click();
    await page.getByText('Every run is stopped').waitFor();
    await page.getByRole('button', { name: 'Recover' }).click();
    await page.getByRole('button', { name: 'Emergency stop' }).waitFor();

    const [runId] = Object.keys(squad.ledger.state.runs);
    assert.deepEqual(squad.asked, [`pause ${runId}`, `resume ${runId}`, 'stop', 'recover']);
  });

  it('asks the host to ask, refuses at once, and keeps the focus where it was used', async () => {
    const squad = busySquad();
    const run = Object.values(squad.ledger.state.runs)[0]!;
    const task = Object.values(run.tasks).find(({ phase }) => phase === 'waiting_for_person')!;
    const subject = { kind: 'command' as const, command: 'npm install left-pad', cwd: '.', why: 'It is needed.' };
    const request = { id: 'r-2', runId: run.id, taskId: task.id, agentId: task.agentId!, subject };
    const actor = { kind: 'agent' as const, id: task.agentId! };
    squad.ledger.append({ type: 'request-opened', runId: run.id, taskId: task.id, actor, request });
    const { page, commands } = await open(squad);
    const region = page.getByRole('region', { name: 'Waits for you' });
    assert.equal(await region.getByRole('listitem').count(), 2);

    await region.getByRole('button', { name: /^Answer…: .*npm install left-pad/ }).click();
    await region.getByRole('button', { name: /^Refuse: .*npm install left-pad/ }).focus();
    await page.keyboard.press('Enter');
    await view?.caughtUp();

    assert.deepEqual(commands, [{ command: 'devsquad.answerApproval', args: ['r-2'] }]);
    assert.equal(run.requests['r-2']?.answer?.kind, 'deny');
    assert.equal(await region.getByRole('listitem').count(), 1);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'VSCODE-BUTTON');
  });

  it('is the same after a reload in the middle as without one, and remembers the filter', async () => {
    const squad = busySquad();
    const { page } = await open(squad);
    await page.getByRole('radio', { name: 'Proof' }).check();
    const rest = recorded.filter(({ sequence }) => sequence > squad.ledger.state.sequence);

    for (const [index, event] of rest.entries()) {
      squad.ledger.tell(event);
      if (index === 40) {
        await page.reload();
      }
    }
    await page.locator('main.dashboard').waitFor();
    await view?.caughtUp();
    const reloaded = await page.locator('main').innerText();
    assert.ok(await page.getByRole('radio', { name: 'Proof' }).isChecked());

    await page.reload();
    await page.locator('main.dashboard').waitFor();
    await view?.caughtUp();
    assert.equal(await page.locator('main').innerText(), reloaded);
  });

  it('says that it knows of no run, and offers to start one', async () => {
    const { page, commands } = await open(new FakeSquad());

    await page.getByRole('button', { name: 'Start a Run…' }).click();
    await view?.caughtUp();

    assert.deepEqual(commands, [{ command: 'devsquad.startRun', args: [] }]);
    await view?.screenshot('dashboard-empty-dark');
  });

  it('says why something was not done, until dismissed', async () => {
    const squad = busySquad();
    const { page } = await open(squad);
    squad.ledger.isOpen = false;

    await page.getByRole('button', { name: 'Emergency stop' }).click();
    await page.getByRole('alert').getByText('The ledger is closed').waitFor();
    await page.getByRole('button', { name: 'Dismiss' }).click();

    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('does nothing with hostile names, tasks and messages but show them', async () => {
    const squad = new FakeSquad(new MemoryLedger(hostileLog()));
    const { page } = await open(squad);
    await page.getByRole('radio', { name: 'All' }).check();

    // Also what is posted to the page by somebody else, or half a message.
    for (const message of [
      null,
      'slice',
      { type: 'slice', state: { runs: {} }, events: [] },
      { type: 'slice', state: { runs: {}, standing: {} }, events: [{ type: '__proto__' }] },
      { type: 'events', after: 0, through: 1e9, events: [{ type: 'run-started' }] },
      { type: 'refused', message: { html: '<b>' } },
    ]) {
      await view?.post(message);
    }
    await view?.caughtUp();

    await page.getByText(HOSTILE).first().waitFor();
    await page.getByText('⟨U+202E⟩gnp.exe').first().waitFor();
    assert.equal(await page.locator('img, iframe, script:not([nonce]), a, [onerror], b b').count(), 0);
    assert.equal(await page.evaluate(() => 'owned' in window), false);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    await view?.screenshot('dashboard-hostile-dark');
  });

  it('has a policy that lets in its own files and nothing else', () => {
    const html = viewHtml({ script: 's', style: 'c', source: 'own:', nonce: 'n', styleNonce: 'm', title: 'T' });
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.split('; ');
    assert.deepEqual(policy, [
      "default-src 'none'",
      "script-src 'nonce-n'",
      "style-src own: 'nonce-m'",
      'font-src own:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    assert.doesNotMatch(html, /https?:|unsafe/);
  });

  it('bears a story of five hundred events with any state under it', async () => {
    const story = tellStory(5, 900, () => undefined).events;
    const squad = new FakeSquad(new MemoryLedger(new EventLog()));
    await open(squad);

    for (const [index, event] of story.entries()) {
      squad.ledger.tell(event);
      if (index % 30 === 0) {
        await view?.caughtUp();
      }
    }
    await view?.caughtUp();

    const run = Object.values(squad.ledger.state.runs).at(-1)!;
    await view?.page.getByText(run.objective).first().waitFor();
  });

  it('reaches every control by keyboard, each with a name and a visible focus', async () => {
    const { page } = await open(busySquad());
    const controls = await page.evaluate(() => document.querySelectorAll('vscode-button, button, input').length);
    const reached: string[] = [];
    for (let press = 0; press < controls + 3; press++) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(describeFocus));
    }

    // Of a group of radio buttons the chosen one is reached, arrows reach the others.
    assert.equal(new Set(reached.filter((each) => each !== 'nothing')).size, controls - 3, reached.join('\n'));
    assert.deepEqual(
      reached.filter((each) => each.endsWith('unseen') || each.startsWith('nameless')),
      [],
    );
    await page.getByRole('radio', { name: 'Important' }).focus();
    await page.keyboard.press('ArrowRight');
    assert.ok(await page.getByRole('radio', { name: 'Mail' }).isChecked());
  });

  it('has one main heading, named regions and lists, and no mark that says nothing', async () => {
    const { page } = await open(busySquad());

    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    for (const name of [
      'Waits for you',
      'Proven',
      'Tokens',
      'Cost',
      'At work',
      'Tasks',
      'Team',
      'Activity',
      'Messages',
    ]) {
      assert.equal(await page.getByRole('region', { name, exact: true }).count(), 1, name);
    }
    assert.equal(await page.locator('svg:not([aria-hidden]):not([aria-label])').count(), 0);
    assert.equal(await page.locator('[role=img]:not([aria-label])').count(), 0);
    assert.equal(await page.locator('ul > :not(li)').count(), 0);
  });

  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    it(`reads in ${theme}: every text has a contrast of 4.5 or more`, async () => {
      const log = logWithWorkingTask();
      const ids = { runId: 'run-1', taskId: 'run-1.greet' };
      log.add({ type: 'task-failed', ...ids, reason: 'It does not compile.' });
      const squads = [['busy', busySquad()] as const, ['failed', new FakeSquad(new MemoryLedger(log))] as const];
      for (const [name, squad] of squads) {
        await view?.close();
        const { page } = await open(squad, { theme });
        await view?.screenshot(`dashboard-${name}-${theme}`);
        const faint = await page.evaluate(textsBelow, 4.5);
        assert.deepEqual(faint, [], name);
      }
    });
  }

  it('fits into 320 pixels, what waits first', async () => {
    const { page } = await open(busySquad(), { width: 320 });

    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    const top = async (name: string): Promise<number> =>
      (await page.getByRole('region', { name, exact: true }).boundingBox())?.y ?? 0;
    assert.ok((await top('Waits for you')) < (await top('Proven')));
    await view?.screenshot('dashboard-busy-narrow-320-dark');
  });

  it('shows the end of a run', async () => {
    await open(new FakeSquad(ledgerUpTo(recorded, () => false)));
    await view?.screenshot('dashboard-ended-dark');
  });

  it('is small: packed, its script is below 120 KB', async () => {
    const built = readFileSync(path.join(projectFolder, 'dist/webview/main.js'), 'utf8');
    // As the package has it; the build for tests is not minified.
    const { code } = await transform(built, { minify: true, format: 'esm' });
    assert.ok(gzipSync(code).length < 120 * 1024, `${gzipSync(code).length} bytes`);
  });
});

const HOSTILE = '<img src=x onerror="window.owned=1">';

/** A run in which every text of an agent, a model or a file tries something. */
function hostileLog(): EventLog {
  const log = new EventLog();
  const texts = [
    HOSTILE,
    '<script>window.owned=1</script>',
    '[click](javascript:window.owned=1) javascript:window.owned=1',
    '"><svg onload=window.owned=1>',
    'command:workbench.action.quit',
    '\u202Egnp.exe \u0000\u001b[2J {{constructor.constructor("window.owned=1")()}}',
    'W'.repeat(5000),
    '__proto__',
  ];
  const runId = 'run-1';
  log.add({ type: 'run-started', runId, objective: HOSTILE, options: anyOptions({ budget: { tokens: 1000 } }) });
  for (const [index, text] of texts.entries()) {
    const id = `agent-${index}`;
    const taskId = `run-1.t${index}`;
    const ids = { runId, taskId, attempt: 1 };
    const actor = { kind: 'agent' as const, id };
    log.add(
      { type: 'agent-created', agent: anyAgent({ id, name: text.slice(0, 60) }) },
      {
        type: 'task-created',
        runId,
        taskId,
        task: anyTask({ id: taskId, key: `t${index}`, title: text.slice(0, 120) }),
      },
      { type: 'task-ready', ...ids },
      { type: 'task-delegated', ...ids, agentId: id, candidates: [] },
      { type: 'task-started', ...ids },
      { type: 'task-progressed', ...ids, actor, note: text },
      {
        type: 'message-sent',
        runId,
        actor,
        message: anyMessage({ id: `m${index}`, sender: actor, content: { kind: 'text', text } }),
      },
      {
        type: 'request-opened',
        runId,
        taskId,
        actor,
        request: {
          id: `r${index}`,
          runId,
          taskId,
          agentId: id,
          subject: { kind: 'command', command: text, cwd: '.', why: text },
        },
      },
      {
        type: 'request-opened',
        runId,
        taskId,
        actor,
        request: { id: `q${index}`, runId, taskId, agentId: id, subject: subjects(text)[index % 4]! },
      },
      {
        type: 'check-ended',
        ...ids,
        result: { index: 0, stage: 'task', passed: false, summary: text, output: text, tree: 't', durationMs: 1 },
      },
      { type: 'message-failed', runId, messageId: `m${index}`, reason: text, cause: 'refused' },
      ...(index % 2 === 0 ? [{ type: 'task-failed' as const, ...ids, reason: text }] : []),
    );
  }
  return log;
}

/** What waits for a person, in every other form. */
const subjects = (text: string): readonly RequestSubject[] => [
  { kind: 'question', question: text, options: [text] },
  { kind: 'write', path: text, why: text, texts: { before: text, after: `${text}\n${text}` } },
  { kind: 'read', path: text, why: text, isProtected: true },
  { kind: 'changes', command: text, changes: [{ path: text, why: text, texts: { after: text } }], isProtected: true },
];

/** In the page: what has the focus, whether it has a name, whether one sees it. */
function describeFocus(): string {
  const element = document.activeElement;
  if (!element || element === document.body) {
    return 'nothing';
  }
  const name = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent;
  const drawn = element.shadowRoot?.activeElement ?? element.closest('label') ?? element;
  const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
  const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
  return `${name.trim() === '' ? 'nameless' : name.trim()}${isSeen ? '' : ' unseen'}`;
}
