import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';
import { hasTerminal, typeAt } from '../support/pseudoTerminal.ts';

describe('the rehearsal at a terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  (hasTerminal ? it : it.skip)('asks in full words, draws what is, and applies what was allowed', async () => {
    const { output, exitCode, answered } = await typeAt(
      sandbox,
      ['run', '--workspace', sandbox.workspace, '--apply'],
      /(?:should be different|helps the agent\)): /,
      'allow',
    );

    assert.equal(exitCode, 0, output);
    assert.ok(answered >= 5, `${answered} were asked`);
    assert.match(output, /Accept this plan\?[\s\S]*node --test test\/errors\.test\.js/);
    assert.match(output, /testing-1 wants to run a command/);
    assert.match(output, /── working · 0 of 4 proven · [\d,]+ tokens/);
    assert.match(output, /succeeded {2}\(\d+ tokens/);
    assert.ok(existsSync(path.join(sandbox.workspace, 'src/routes/tags.js')));
    await sandbox.checkTables();
  });

  (hasTerminal ? it : it.skip)('stops when Ctrl-C is pressed at a question', async () => {
    const { output, exitCode, answered } = await typeAt(
      sandbox,
      ['run', '--workspace', sandbox.workspace],
      /should be different: /,
      '\u0003',
    );

    assert.equal(answered, 1, output);
    assert.equal(exitCode, 1, output);
    const { events } = await sandbox.readJournal();
    assert.equal(events.filter(({ type }) => type === 'run-stopped').length, 1);
    assert.ok(!events.some(({ type }) => type === 'request-answered'), 'nothing was answered by that');
  });
});

describe('a reader that goes away, as `head` does,', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  it('ends what only looks without a word', async () => {
    for (const args of [['status'], ['status', '--json']]) {
      const looking = sandbox.start(...args, '--workspace', sandbox.workspace);
      looking.process.stdout?.destroy();

      const { exitCode, stderr } = await looking.finished;

      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
    }
  });

  it('stops a run, which goes on with the next resume', async () => {
    const running = sandbox.rehearse();
    await running.printed('"task-started"');
    running.process.stdout?.destroy();

    const { exitCode, stderr } = await running.finished;

    assert.equal(exitCode, 1, stderr);
    assert.doesNotMatch(stderr, /EPIPE|unforeseen/);
    const { events } = await sandbox.readJournal();
    assert.ok(events.some(({ type }) => type === 'run-stopped'));
    const resumed = await sandbox.run('resume', '--workspace', sandbox.workspace, '--json');
    assert.equal(resumed.exitCode, 0, resumed.stderr);
    assert.ok(resumed.events.some(({ type, status }) => type === 'run-ended' && status === 'succeeded'));
  });
});
