import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessStartError } from '../../../src/domain/errors.ts';
import { Processes, type ProcessResult } from '../../../src/workspace/processes.ts';
import { findSandbox } from '../../../src/workspace/findSandbox.ts';
import type { Box, Sandbox } from '../../../src/workspace/sandbox.ts';
import { deleteTemporaryFolders, never, systemClock, temporaryFolder } from './support.ts';

describe('a command in the sandbox', () => {
  let storage: string;
  let worktree: string;
  let repository: string;
  let sandbox: Sandbox;

  before(async function () {
    const found = await findSandbox({ home: homedir(), temporary: tmpdir(), hidden: [] });
    if (found.kind === 'none') {
      console.log(`      ${found.reason}`);
      this.skip();
    }
  });

  beforeEach(async () => {
    storage = temporaryFolder();
    worktree = join(storage, 'runs/run-1/worktrees/one');
    repository = join(storage, 'runs/run-1/repository.git');
    mkdirSync(worktree, { recursive: true });
    mkdirSync(repository);
    writeFileSync(join(storage, 'journal'), 'the ledger');
    writeFileSync(join(repository, 'config'), 'of git');
    writeFileSync(join(worktree, '.git'), 'gitdir: there');
    const found = await findSandbox({ home: homedir(), temporary: tmpdir(), hidden: [storage] });
    assert.ok(found.kind === 'found');
    sandbox = found.sandbox;
  });

  afterEach(deleteTemporaryFolders);

  function run(command: string, box: Partial<Box> = {}, timeoutMs = 10_000): Promise<ProcessResult> {
    const processes = new Processes({ clock: systemClock, sandbox });
    return processes.run(
      {
        command,
        cwd: worktree,
        box: { writable: worktree, readable: [repository], network: false, ...box },
        timeoutMs,
        maxOutputBytes: 100_000,
        effect: 'sandboxed.1',
      },
      never,
    );
  }

  it('changes its own folder, and ends with its own exit code', async () => {
    const { exitCode, output } = await run('echo made > file.txt; pwd; echo wrong >&2; exit 7');
    assert.equal(output, `${worktree}\nwrong\n`);
    assert.equal(exitCode, 7);
    assert.equal(readFileSync(join(worktree, 'file.txt'), 'utf8'), 'made\n');
  });

  const OUTSIDE = [
    ['beside its folder', () => join(storage, 'runs/run-1/made')],
    ['in the system', () => '/etc/devsquad-made'],
    ['at the root', () => '/devsquad-made'],
    ['in what git keeps', () => join(repository, 'made')],
    ['in its .git', () => join(worktree, '.git')],
  ] as const;
  for (const [where, place] of OUTSIDE) {
    it(`changes nothing ${where}`, async () => {
      const before = existsSync(place()) ? readFileSync(place(), 'utf8') : undefined;
      const { output } = await run(
        `echo x > ${place()}; rm -rf ${place()}; mv ${place()} ./away; ln ${place()} ./linked`,
      );
      assert.equal(existsSync(place()) ? readFileSync(place(), 'utf8') : undefined, before, output);
    });
  }

  it('has a home and a /tmp of its own: what it leaves there is gone, what others left is not there', async () => {
    const mine = temporaryFolder();
    writeFileSync(join(mine, 'secret'), 'verysecret');
    const { output } = await run(
      `cat ${mine}/secret; ls -A /tmp; echo x > ~/.made; echo x > "$TMPDIR/made"; ls -A ~ | grep '^[.]'`,
    );
    assert.doesNotMatch(output, /verysecret/);
    assert.match(output, /^\.made$/m);
    assert.ok(!existsSync(join(homedir(), '.made')));
    assert.ok(!existsSync('/tmp/made'));
  });

  it('sees no setting of a home folder by a link that lies beside it', async () => {
    const home = join(temporaryFolder(), 'home');
    mkdirSync(join(home, '.secret'), { recursive: true });
    mkdirSync(join(home, 'notes'));
    writeFileSync(join(home, '.secret/key'), 'verysecret');
    writeFileSync(join(home, 'notes/file'), 'my notes');
    symlinkSync(join(home, '.secret'), join(home, 'keys'));
    symlinkSync('/etc', join(home, 'system'));
    const found = await findSandbox({ home, temporary: tmpdir(), hidden: [storage] });
    assert.ok(found.kind === 'found');
    sandbox = found.sandbox;
    const { output } = await run(`cat ${home}/notes/file ${home}/keys/key; ls ${home}/system/hosts`);
    assert.match(output, /^my notes/);
    assert.match(output, /system\/hosts$/m);
    assert.doesNotMatch(output, /verysecret/);
  });

  it('reads what git keeps, and nothing else of the squad', async () => {
    const { output } = await run(`cat ${repository}/config; cat ${storage}/journal`);
    assert.match(output, /^of git/);
    assert.doesNotMatch(output, /the ledger/);
  });

  it('reaches no server of this machine, and no other process', async () => {
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const knock = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
    try {
      assert.doesNotMatch((await run(knock)).output, /hello/);
      assert.match((await run(knock, { network: true })).output, /hello/);
    } finally {
      server.close();
    }
    const { output } = await run(`kill -9 ${process.pid}; ls /proc | grep -c '^[0-9]'; ls /run`);
    assert.match(output, /No such process/);
    assert.match(output, /^[1-9]$/m);
  });

  it('may listen and talk to itself', async () => {
    const program = `const s = require('net').createServer(c => c.end('self')).listen(0, '127.0.0.1', () => require('net').connect(s.address().port, '127.0.0.1').on('data', d => { console.log(String(d)); s.close(); }));`;
    assert.equal((await run(`node -e "${program.replaceAll('"', '\\"')}"`)).output, 'self\n');
  });

  it('leaves nothing behind when its time is over, also what it put into the background', async () => {
    const result = await run('(setsid sleep 98765 &) ; sleep 98765', {}, 500);
    assert.equal(result.timedOut, true);
    const processes = new Processes({ clock: systemClock });
    assert.equal(await processes.endSurvivors('sandboxed'), 0);
  });

  it('gives a program the variables it is to have, and takes none of them for itself', async () => {
    const evil = join(worktree, 'bin');
    mkdirSync(evil);
    writeFileSync(join(evil, 'bwrap'), `#!/bin/sh\ntouch ${storage}/escaped\n`, { mode: 0o755 });
    const env = {
      PATH: `./bin:${process.env['PATH'] ?? ''}`,
      WORDS: 'two words\nand a line',
      DEVSQUAD_EFFECT: 'other.1',
    };
    const processes = new Processes({ clock: systemClock, sandbox });
    const told = await processes.talk(
      {
        argv: [process.execPath, '-p', 'JSON.stringify(process.env)'],
        env,
        cwd: worktree,
        box: { writable: worktree, readable: [], network: false },
        timeoutMs: 10_000,
        maxLine: 100_000,
        maxTotal: 100_000,
        maxLines: 10,
        effect: 'sandboxed.1',
      },
      (program) =>
        new Promise<string>((resolve) => {
          program.onLine(resolve);
        }),
      never,
    );
    assert.ok(
      !existsSync(join(storage, 'escaped')),
      'the sandbox’s own program was found by a variable of the command',
    );
    const { PATH, WORDS, DEVSQUAD_EFFECT } = JSON.parse(told) as Record<string, string>;
    assert.deepEqual({ PATH, WORDS, DEVSQUAD_EFFECT }, { ...env, DEVSQUAD_EFFECT: 'sandboxed.1' });
  });

  it('does not run at all when its sandbox cannot be made', async () => {
    await assert.rejects(run('echo ran', { readable: [join(storage, 'missing')] }), (error: Error) => {
      assert.ok(error instanceof ProcessStartError);
      assert.match(error.message, /^The sandbox of this command could not be made: .*missing/);
      return true;
    });
  });
});
