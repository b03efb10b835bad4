import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { endOwnerProcess, isRunning, thisProcess } from '../../../src/host/ownerProcess.ts';

/** Only there does the system tell a process from a later one with its number. */
const onLinux = process.platform === 'linux' ? it : it.skip;

describe('the process of an owner', () => {
  let other: ChildProcess;
  let pid: number;
  beforeEach(async () => {
    other = spawn('sleep', ['60']);
    await once(other, 'spawn');
    pid = other.pid ?? 0;
  });
  afterEach(() => {
    other.kill('SIGKILL');
  });

  onLinux('is known by number and start, and runs', async () => {
    const self = await thisProcess();

    assert.equal(self.pid, process.pid);
    assert.ok(await isRunning(self));
  });

  onLinux('is never ended when its number was given to another process', async () => {
    const { startMark } = await thisProcess();
    const recycled = { pid, startMark: `${startMark ?? ''}0` };

    assert.ok(await endOwnerProcess(recycled), 'the one that registered is over');
    assert.equal(other.exitCode ?? other.signalCode, null);
    assert.ok(await isRunning({ pid }));
  });

  it('is never ended when nobody knows when it started', async () => {
    assert.equal(await endOwnerProcess({ pid }), false);
    assert.equal(other.exitCode ?? other.signalCode, null);
  });

  it('never ends itself', async () => {
    assert.equal(await endOwnerProcess(await thisProcess()), false);
  });

  onLinux('is ended, also while it is stopped, when it is the very one', async () => {
    const program = `
      import { thisProcess } from ${JSON.stringify(new URL('../../../src/host/ownerProcess.ts', import.meta.url).href)};
      console.log(JSON.stringify(await thisProcess()));
      setInterval(() => undefined, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    try {
      const [line] = (await once(owner.stdout, 'data')) as [Buffer];
      const registered = JSON.parse(line.toString()) as { pid: number; startMark: string };
      owner.kill('SIGSTOP');

      assert.ok(await endOwnerProcess(registered));
      assert.equal(await isRunning(registered), false);
    } finally {
      owner.kill('SIGKILL');
    }
  });
});
