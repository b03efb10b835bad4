import assert from 'node:assert/strict';
import { Sandbox } from '../../support/headless.ts';
import { hasTerminal, typeAt } from '../../support/pseudoTerminal.ts';

describe('an owner that is stopped', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    sandbox.commitAll();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  (hasTerminal ? it : it.skip)('is taken over from by the person at a terminal, who is asked, and ended', async () => {
    const owner = sandbox.rehearse();
    await owner.printed('"type":"tool-call-ended"');
    owner.process.kill('SIGSTOP');
    const resume = ['resume', '--workspace', sandbox.workspace];

    const alone = await sandbox.run(...resume, '--json');
    const { output, exitCode, answered } = await typeAt(sandbox, resume, /leave it alone: /, 'take over');

    assert.equal(alone.exitCode, 5, 'nobody is there to be asked');
    assert.match(alone.stderr, /does not answer/);
    assert.equal(answered, 1, output);
    assert.match(output, /owns this workspace's squad and has not answered for 10 seconds/);
    assert.equal(exitCode, 0, output);
    await owner.finished;
    assert.equal(owner.process.signalCode, 'SIGKILL');
    const { events } = await sandbox.readJournal();
    assert.equal(events.filter(({ type }) => type === 'run-ended').length, 1);
    await sandbox.checkTables();
  }).timeout(180_000);
});
