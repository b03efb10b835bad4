import assert from 'node:assert/strict';
import { Sandbox, type Finished, type Started } from '../support/headless.ts';

describe('a second terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    sandbox.commitAll();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  const said = async (started: Started, what: string): Promise<void> => {
    while (!started.output().includes(what)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
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
    await said(owner, '"task-started"');
    const guest = sandbox.rehearse();
    await said(guest, '"task-started"');

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
    await said(owner, '"task-started"');
    const guest = sandbox.rehearse();
    await said(guest, '"task-started"');

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
});
