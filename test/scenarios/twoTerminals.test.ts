import assert from 'node:assert/strict';
import { Sandbox, type Finished } from '../support/headless.ts';
import { hasTerminal, typeAt } from '../support/pseudoTerminal.ts';

describe('a second terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    sandbox.commitAll();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  /** The only run in what was printed. */
  const runOf = ({ events }: Finished): string => {
    const ids = new Set(events.flatMap(({ runId }) => (typeof runId === 'string' ? [runId] : [])));
    assert.equal(ids.size, 1, `runs: ${[...ids].join()}`);
    return [...ids][0] ?? '';
  };
  const sequences = ({ events }: Finished): number[] =>
    events.flatMap(({ sequence }) => (typeof sequence === 'number' ? [sequence] : []));
  const statusOf = ({ events }: Finished): unknown => events.find(({ type }) => type === 'run-ended')?.['status'];

  it('begins its run where the squad is owned, follows it whole, and takes it over when the owner is killed', async () => {
    const owner = sandbox.rehearse();
    await owner.printed('"task-started"');
    const guest = sandbox.rehearse();
    await guest.printed('"task-started"');

    owner.process.kill('SIGKILL');
    const followed = await guest.finished;

    assert.equal(followed.exitCode, 0, followed.stderr);
    assert.match(followed.stderr, /Another terminal \(process \d+\) does the work/);
    assert.equal(statusOf(followed), 'succeeded');
    const runId = runOf(followed);
    const told = sequences(followed);
    assert.deepEqual(
      told,
      [...new Set(told)].sort((a, b) => a - b),
      'each event once, in order',
    );
    const { events } = await sandbox.readJournal();
    const ofRun = events.filter((event) => event.runId === runId);
    assert.deepEqual(
      followed.events.filter((event) => event['runId'] === runId && event['sequence'] !== undefined),
      ofRun,
      'all of the run’s events, whole',
    );
    // What the killed one had begun was taken up too: nobody had stopped it.
    assert.equal(events.filter(({ type }) => type === 'run-ended').length, 2);
    await sandbox.checkTables();
  });

  it('sees what the first one does, and stops only what it began itself', async () => {
    const owner = sandbox.rehearse();
    await owner.printed('"task-started"');
    const guest = sandbox.rehearse();
    await guest.printed('"task-started"');

    const status = await sandbox.run('status', '--workspace', sandbox.workspace, '--json');
    const state = status.events[0] as unknown as { runs: Record<string, { phase: string }> };
    assert.equal(Object.keys(state.runs).length, 2);
    const elsewhere = await sandbox.run('status', '--storage', sandbox.folder, '--workspace', sandbox.workspace);
    assert.equal(elsewhere.exitCode, 5, elsewhere.stderr);

    guest.process.kill('SIGINT');
    const stopped = await guest.finished;
    assert.equal(stopped.exitCode, 1, stopped.stderr);
    assert.ok(stopped.events.some(({ type }) => type === 'run-stopped'));

    const finished = await owner.finished;
    assert.equal(finished.exitCode, 0, finished.stderr);
    assert.equal(statusOf(finished), 'succeeded');
    await sandbox.checkTables();
  });

  (hasTerminal ? it : it.skip)('answers what the first one asks, whose question then goes away', async () => {
    const workspace = ['--workspace', sandbox.workspace];
    const owner = typeAt(sandbox, ['run', ...workspace, '--approve', 'commands,writes,network'], /no such words/, '');
    const request = await firstRequest(sandbox);

    const program = await sandbox.run('answer', request, 'allow', ...workspace);
    assert.equal(program.exitCode, 1);
    assert.match(program.stderr, /a person at a terminal only/);
    const unknown = await typeAt(sandbox, ['answer', 'no-request', 'allow', ...workspace], /no such words/, '');
    assert.equal(unknown.exitCode, 1, unknown.output);
    // Looked at in full, and left as it is.
    const left = await typeAt(sandbox, ['answer', request, ...workspace], /different: /, '\u0003');
    assert.notEqual(left.exitCode, 0, left.output);
    assert.match(left.output, /Accept this plan\?[^]*node --test/);
    const answered = await typeAt(sandbox, ['answer', request, ...workspace], /different: /, 'allow');

    assert.equal(answered.exitCode, 0, answered.output);
    assert.match(answered.output, /Accept this plan\?[^]*node --test[^]*Answered; the run goes on\./);
    const again = await typeAt(sandbox, ['answer', request, 'deny', ...workspace], /no such words/, '');
    assert.equal(again.exitCode, 1, again.output);
    assert.match(again.output, /was answered already, at a terminal/);
    const { exitCode, output } = await owner;
    assert.equal(exitCode, 0, output);
    assert.match(output, /Accept this plan\?[\s\S]*This was answered already, at a terminal\.[\s\S]*succeeded/);
    const { events } = await sandbox.readJournal();
    const answers = events.filter((event) => event.type === 'request-answered');
    assert.deepEqual(
      answers.map(({ requestId, answer, door, actor }) => ({ requestId, answer, door, actor })).slice(0, 1),
      [{ requestId: request, answer: { kind: 'allow' }, door: 'terminal', actor: { kind: 'person', id: 'you' } }],
    );
    await sandbox.checkTables();
  });
});

/** What `inbox` names first, once anything waits. */
async function firstRequest(sandbox: Sandbox): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    const { events } = await sandbox.run('inbox', '--workspace', sandbox.workspace, '--json');
    const id = events[0]?.['id'];
    if (typeof id === 'string') {
      return id;
    }
  }
  throw new Error('Nothing waits.');
}
