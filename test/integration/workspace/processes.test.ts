import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessStartError } from '../../../src/domain/errors.ts';
import { Processes, type ProcessRequest } from '../../../src/workspace/processes.ts';
import { deleteTemporaryFolders, never, read, systemClock, temporaryFolder } from './support.ts';

describe('processes', () => {
  afterEach(deleteTemporaryFolders);
  const processes = new Processes({ clock: systemClock });

  function run(command: string, options: Partial<ProcessRequest> = {}, signal = never) {
    const request = { command, cwd: temporaryFolder(), timeoutMs: 10_000, maxOutputBytes: 100_000, effect: 'test.1' };
    return processes.run({ ...request, ...options }, signal);
  }

  /** Ended processes that nobody has asked about yet do not count. */
  const isAlive = (pid: number): boolean => {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout.trim() !== '' && !stdout.startsWith('Z');
  };

  it('answers exit code and output, both streams in the order they were written', async () => {
    const result = await run('echo one; echo two >&2; echo three; exit 7');

    assert.equal(result.output, 'one\ntwo\nthree\n');
    assert.deepEqual([result.exitCode, result.signal, result.timedOut, result.truncated], [7, null, false, false]);
  });

  it('gives a small environment, and no input', async () => {
    process.env['DEVSQUAD_TEST_SECRET'] = 'secret';
    const result = await run('cat; env', { env: { EXTRA: 'x' }, effect: 'task.3' });
    delete process.env['DEVSQUAD_TEST_SECRET'];

    assert.match(result.output, /^DEVSQUAD_EFFECT=task\.3$/m);
    assert.match(result.output, /^CI=1$/m);
    assert.match(result.output, /^EXTRA=x$/m);
    assert.doesNotMatch(result.output, /secret|NODE_OPTIONS|npm_/);
  });

  it('runs the command as one text, whatever it holds', async () => {
    const result = await run(`printf '%s|' "a b" '$HOME' "quo\\"te" 'ünï'; echo -- $0 $#`);
    assert.equal(result.output, 'a b|$HOME|quo"te|ünï|-- bash 0\n');
  });

  it('cleans the output of what no person can read', async () => {
    const result = await run(
      String.raw`printf '\033[31mred\033[0m \033]0;title\007 \033]8;;http://x\033\\link \0\001\177\xff\tok\r\nnext\rover\xc2\x9b'`,
    );
    assert.equal(result.output, 'red  link \ufffd\tok\nnext\nover');
  });

  it('keeps the beginning and the end of a long output', async () => {
    const result = await run('echo first; seq 1 200000; echo last', { maxOutputBytes: 3000 });

    assert.equal(result.truncated, true);
    assert.match(result.output, /^first\n1\n2\n/);
    assert.match(result.output, /\n… \d+ bytes left out …\n/);
    assert.match(result.output, /200000\nlast\n$/);
    assert.ok(result.output.length < 3100);
  });

  it('passes output on as it comes', async () => {
    const pieces: string[] = [];
    await run('echo one; sleep 0.2; echo two', { onOutput: (text) => pieces.push(text) });
    assert.deepEqual(pieces, ['one\n', 'two\n']);
  });

  it('ends the whole group at the time limit', async () => {
    const cwd = temporaryFolder();
    const result = await run('sleep 60 & echo $! > child; echo started; wait', { cwd, timeoutMs: 2_000 });

    assert.equal(result.timedOut, true);
    assert.equal(result.exitCode, null);
    assert.equal(result.output, 'started\n');
    assert.equal(isAlive(Number(read(cwd, 'child'))), false);
  });

  it('ends what ignores SIGTERM', async function () {
    const started = Date.now();
    const result = await run(`trap '' TERM; echo deaf; while :; do sleep 0.1; done`, { timeoutMs: 2_000 });

    assert.deepEqual([result.timedOut, result.signal, result.output], [true, 'SIGKILL', 'deaf\n']);
    assert.ok(Date.now() - started < 60_000);
  });

  it('rejects with the reason when it is stopped, with everything ended', async () => {
    const cwd = temporaryFolder();
    const controller = new AbortController();
    const reason = new Error('stop');
    const running = run('sleep 60 & echo $! > child; sleep 60', { cwd }, controller.signal);
    while (!existsSync(join(cwd, 'child')) || read(cwd, 'child') === '') {
      await sleep(10);
    }
    controller.abort(reason);

    await assert.rejects(running, reason);
    assert.equal(isAlive(Number(read(cwd, 'child'))), false);
    await assert.rejects(run('touch never', { cwd }, controller.signal), reason);
    assert.equal(existsSync(join(cwd, 'never')), false);
  });

  it('does not wait for what was left in the background, and ends it', async () => {
    const cwd = temporaryFolder();
    const started = Date.now();
    const held = await run('sleep 600 & echo $! > child; echo done', { cwd });
    const quiet = await run('sleep 600 >/dev/null 2>&1 & echo $! > quiet', { cwd });

    assert.deepEqual([held.exitCode, held.output, quiet.exitCode], [0, 'done\n', 0]);
    assert.ok(Date.now() - started < 60_000);
    assert.equal(isAlive(Number(read(cwd, 'child'))), false);
    assert.equal(isAlive(Number(read(cwd, 'quiet'))), false);
  });

  if (process.platform === 'linux') {
    it('ends what left its group and still holds the output', async () => {
      const cwd = temporaryFolder();
      const result = await run('setsid sleep 60 & echo $! > child; echo done', { cwd, effect: 'escape.1' });

      assert.equal(result.output, 'done\n');
      assert.equal(isAlive(Number(read(cwd, 'child'))), false);
    });

    it('finds survivors by their task, and no others', async () => {
      const sleeper = (effect: string) => {
        const child = spawn('sleep', ['60'], { env: { DEVSQUAD_EFFECT: effect }, detached: true, stdio: 'ignore' });
        return { pid: child.pid!, ended: new Promise((resolve) => child.once('exit', resolve)), child };
      };
      const [first, second, other] = [sleeper('lost1.1'), sleeper('lost1.20'), sleeper('lost10.1')];

      assert.equal(await processes.endSurvivors('lost1'), 2);
      await Promise.all([first.ended, second.ended]);
      assert.equal(isAlive(other.pid), true);
      assert.equal(await processes.endSurvivors('lost10.1'), 1);
      assert.equal(await processes.endSurvivors(''), 0);
    });
  }

  it('says what is missing when nothing could start', async () => {
    const path = process.env['PATH'];
    await assert.rejects(run('true', { cwd: '/no/such/folder' }), (error) => {
      assert.ok(error instanceof ProcessStartError);
      assert.match(error.message, /folder \/no\/such\/folder does not exist/);
      return true;
    });
    await assert.rejects(run('true\0false'), ProcessStartError);
    try {
      process.env['PATH'] = '/nowhere';
      await assert.rejects(run('true'), /no bash|none was found/);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
