/** What a run may spend, as a person at a terminal meets it: in dollars and tokens, refused, warned of, raised. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SquadEvent } from '../../src/domain/events.ts';
import { registeredOwner } from '../../src/ledger/ownerRecords.ts';
import { ownerFolder } from '../../src/ledger/squadHome.ts';
import { Sandbox, type Finished } from '../support/headless.ts';
import { hasTerminal, typeAt } from '../support/pseudoTerminal.ts';
import {
  call,
  inOrder,
  planTask,
  playScene,
  finish,
  scriptOf,
  startScene,
  type Scene,
} from '../support/scriptedRun.ts';
import { ScriptedServer } from '../support/scriptedServer.ts';

const scene: Scene = {
  tasks: [planTask('one'), planTask('two')],
  lines: {
    one: inOrder(call('write_file', { path: 'one.txt', content: 'one\n' }), finish()),
    two: inOrder(call('write_file', { path: 'two.txt', content: 'two\n' }), finish()),
  },
};

const RAISE = /deny \(then the run ends\): /;
type Ended = Extract<SquadEvent, { type: 'run-ended' }>;

describe('a budget', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  const endOf = ({ events }: Finished): Ended => events.find(({ type }) => type === 'run-ended') as unknown as Ended;
  const status = (): string => sandbox.print('status', '--workspace', sandbox.workspace);
  /** In the sandbox's own home, as a person writes it. */
  const writePrices = (text: string): void => {
    mkdirSync(path.join(sandbox.home, '.devsquad'), { recursive: true });
    writeFileSync(path.join(sandbox.home, '.devsquad/prices.json'), text);
  };

  it('in dollars begins no run with a model whose price nobody knows, and says what to do', async () => {
    const refused = await playScene(sandbox, scene, '--budget-usd', '1');
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /nobody knows what openai\/scripted costs\. Say its price in .*prices\.json/);
    assert.deepEqual(refused.events, []);

    writePrices('{"openai/scripted": {"input": "two"}}');
    const wrong = await playScene(sandbox, scene, '--budget-usd', '1');
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /prices\.json makes no sense.*dollars for a million tokens/);
  });

  it('says what a run costs, and that it does not know where it does not', async () => {
    const unknown = await playScene(sandbox, scene);
    assert.equal(unknown.exitCode, 0, unknown.stderr);
    assert.equal(endOf(unknown).usage.usd, null);
    assert.match(unknown.stderr, /succeeded {2}\(\d+ tokens in \d+ requests, price unknown\)/);
    assert.match(status(), /tokens · price unknown\)/);

    writePrices('{"openai/scr*": {"input": 2, "output": 8}}');
    const priced = await playScene(sandbox, scene, '--budget-usd', '5');
    const { usd = null, tokens } = endOf(priced).usage;
    assert.equal(priced.exitCode, 0, priced.stderr);
    assert.ok(usd !== null && usd >= (tokens * 2) / 1e6 && usd <= (tokens * 8) / 1e6 + 0.0001, `${usd} for ${tokens}`);
    assert.match(status(), /tokens · \$0\.\d+, of \$5\.00\)/);
    assert.match(
      status(),
      /Today, by the clock of UTC: [\d,]+ tokens · \$0\.\d+ and [\d,]+ tokens of unknown price in \d+ requests/,
    );
    await sandbox.checkTables();
  });

  it('in dollars is not passed; the run ends with exit 4, keeps its work and plays again to the same hash', async () => {
    writePrices('{"scripted": {"input": 2, "output": 8}}');
    const run = await playScene(sandbox, scene, '--budget-usd', '0.07', '--budget', 'day.usd=3');
    assert.equal(run.exitCode, 4, run.stderr);
    const { status: ended, reason = '', usage, runId = '' } = endOf(run);
    assert.equal(ended, 'budget-reached');
    assert.match(reason, /^The budget is reached: \$0\.\d+ of \$0\.07 are spent or reserved/);
    assert.ok((usage.usd ?? 1) <= 0.07, `${usage.usd ?? 'unknown'}`);
    const replayed = await sandbox.run('replay', '--run', runId, '--workspace', sandbox.workspace, '--json');
    assert.equal(replayed.events[0]?.['equal'], true, JSON.stringify(replayed.events));
  });

  it('of the day counts what earlier runs of it used', async () => {
    writePrices('{"scripted": {"input": 2, "output": 8}}');
    const first = await playScene(sandbox, scene);
    assert.equal(first.exitCode, 0, first.stderr);
    const spent = endOf(first).usage.usd ?? 0;
    const second = await playScene(sandbox, scene, '--budget', `day.usd=${spent + 0.01}`);
    assert.equal(second.exitCode, 4, second.stderr);
    assert.match(endOf(second).reason ?? '', /^Today’s budget is reached/);
    const wrong = await playScene(sandbox, scene, '--budget', 'week.usd=1');
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /There is no budget “week\.usd”.*day/);
  });

  it('of minutes ends the run with a sentence that says so', async () => {
    const script = scriptOf(scene);
    const server = await ScriptedServer.start((request) =>
      request.taskId === 'plan' ? script(request) : { fault: 'stall', when: 'before-headers' },
    );
    const run = await startScene(sandbox, server, '--budget', 'run.minutes=0.1').finished;
    await server.close();
    assert.equal(run.exitCode, 4, run.stderr);
    assert.match(
      endOf(run).reason ?? '',
      /^The budget is reached: \d+ seconds at work, and 6 seconds at work are the limit/,
    );
  });

  it('warns once when most of it is used', async () => {
    const run = await sandbox.rehearse('--budget', 'run.requests=15').finished;
    const warned = run.events.filter(({ type }) => type === 'budget-warned');
    assert.equal(warned.length, 1, run.stderr);
    assert.match(run.stderr, /80 % of the run’s budget is used: 12 requests of 15 requests\./);
  });

  (hasTerminal ? it : it.skip)('asks whoever is there for more, and goes on with what they allow', async () => {
    const args = ['run', '--workspace', sandbox.workspace, '--approve', 'all', '--budget-tokens', '40000'];
    const { output, exitCode, answered } = await typeAt(sandbox, args, RAISE, 'allow');
    assert.equal(exitCode, 0, output);
    assert.ok(answered >= 1 && answered <= 6, `${answered} were asked`);
    assert.match(output, /Raise the run’s budget from 40,000 tokens to 60,000 tokens\?/);
    assert.match(output, /rehearsal, costs nothing/);
    await sandbox.checkTables();
  });

  (hasTerminal ? it : it.skip)('ends the run where they refuse, with exit 4', async () => {
    const args = ['run', '--workspace', sandbox.workspace, '--approve', 'all', '--budget-tokens', '40000'];
    const { output, exitCode, answered } = await typeAt(sandbox, args, RAISE, 'deny');
    assert.equal(exitCode, 4, output);
    assert.equal(answered, 1);
    assert.match(output, /budget-reached: The budget is reached/);
  });

  (hasTerminal ? it : it.skip)('still waits for them after a kill, for nobody answers it but a person', async () => {
    const { workspace, home } = sandbox;
    const args = ['run', '--workspace', workspace, '--approve', 'all', '--budget-tokens', '40000'];
    const killing = typeAt(sandbox, args, /nothing is typed/, '').then(({ exitCode }) => exitCode);
    const folder = ownerFolder({ folder: path.join(home, '.devsquad'), runtimeFolders: [] }, workspace);
    const asked = await untilAsked();
    process.kill((await registeredOwner(folder))?.pid ?? 0, 'SIGKILL');
    await killing;

    const resumed = await sandbox.run('resume', '--workspace', workspace, '--json');
    assert.equal(resumed.exitCode, 3, resumed.stderr);
    const waits = resumed.events.find(({ type }) => type === 'run-waiting')?.['requests'] as string[];
    assert.deepEqual(waits, [asked], 'the same request, and no other one');
    const answered = await typeAt(sandbox, ['answer', asked, 'allow', '--workspace', workspace], /never/, '');
    assert.equal(answered.exitCode, 0, answered.output);
    const again = await sandbox.run('resume', '--workspace', workspace, '--json');
    assert.notEqual(again.exitCode, 1, again.stderr);
    const raised = again.events.filter(({ type }) => type === 'model-call-started');
    assert.ok(raised.length > 0, 'it went on');
    const { events } = await sandbox.readJournal();
    assert.deepEqual(
      events.filter((event) => event.type === 'request-answered' && event.requestId === asked).length,
      1,
    );
    await sandbox.checkTables();
  });

  /** The id of the request to raise that waits, once there is one. */
  async function untilAsked(): Promise<string> {
    for (;;) {
      const { events } = await sandbox.run('inbox', '--workspace', sandbox.workspace, '--json');
      const raise = events.find((request) => (request['subject'] as { kind?: string } | undefined)?.kind === 'raise');
      if (raise) {
        return String(raise['id']);
      }
    }
  }

  it('is compared with a forecast as soon as tasks of such a kind were done here before', async () => {
    const first = await playScene(sandbox, scene);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.ok(!status().includes('will come to'));
    const waits = await playScene(sandbox, scene, '--approve', 'commands');
    assert.equal(waits.exitCode, 3, waits.stderr);
    const tokens = endOf(first).usage.tokens;
    const [, told = ''] =
      /will come to about ([\d,]+) tokens \([\d,]+ to [\d,]+\), by 2 tasks done here before/.exec(status()) ?? [];
    const foretold = Number(told.replaceAll(',', ''));
    assert.ok(foretold > tokens / 2 && foretold < tokens * 1.5, `${told} of ${tokens}`);
  });
});
