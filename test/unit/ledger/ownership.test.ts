import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { claimOwnership, type Claim, type ClaimOptions, type Ownership } from '../../../src/ledger/ownership.ts';
import { registeredOwner } from '../../../src/ledger/ownerRecords.ts';

describe('ownership', () => {
  let folder: string;
  let owners: string;
  let running: Set<number>;
  const taken: Ownership[] = [];
  const signal = new AbortController().signal;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'owner-'));
    owners = path.join(folder, 'owners');
    running = new Set();
  });
  afterEach(async () => {
    await Promise.all(taken.splice(0).map((ownership) => ownership.release()));
    await rm(folder, { recursive: true });
  });

  const claim = async (pid: number, options: Partial<ClaimOptions> = {}): Promise<Claim> => {
    const claimed = await claimOwnership(
      {
        folder: owners,
        home: { folder, runtimeFolders: [path.join(folder, 'run')] },
        storage: path.join(folder, 'storage'),
        host: 'terminal',
        process: { pid },
        isRunning: (process) => Promise.resolve(running.has(process.pid)),
        helloTimeoutMs: 1_000,
        answer: () => Promise.resolve({}),
        attach: () => undefined,
        ...options,
      },
      signal,
    );
    if (claimed.kind === 'owned') {
      taken.push(claimed.ownership);
      running.add(pid);
    }
    return claimed;
  };
  const owned = async (pid: number, options: Partial<ClaimOptions> = {}): Promise<Ownership> => {
    const claimed = await claim(pid, options);
    return claimed.kind === 'owned' ? claimed.ownership : assert.fail(claimed.kind);
  };
  /** Registers an owner that listens as `serve` says, in the place of a real one. */
  const register = async (pid: number, serve: (socket: Socket) => void): Promise<Server> => {
    const ownership = await owned(pid);
    await ownership.release();
    const record = await registeredOwner(owners);
    const server = createServer(serve);
    await new Promise<void>((resolve) => server.listen(record?.address, resolve));
    return server;
  };
  const sockets = (): Promise<string[]> => readdir(path.join(folder, 'run'));

  it('stays with one that lives', async () => {
    await owned(1);
    const second = await claim(2);
    assert.equal(second.kind === 'alive' && second.owner.pid, 1);
  });

  it('goes to exactly one of many that ask at once, and the others leave no socket', async () => {
    const claims = await Promise.all([1, 2, 3, 4, 5].map((pid) => claim(pid)));
    assert.deepEqual(claims.map(({ kind }) => kind).sort(), ['alive', 'alive', 'alive', 'alive', 'owned']);
    assert.equal((await sockets()).length, 1);
  });

  it('goes on to the next when the owner is gone, whose socket is then removed', async () => {
    const first = await owned(1);
    const record = await registeredOwner(owners);
    await first.release();
    // As a killed process leaves it.
    await writeFile(record?.address ?? '', '');

    const second = await owned(2);

    assert.equal(second.epoch, first.epoch + 1);
    assert.equal((await sockets()).length, 1);
  });

  it('is not taken from one that is silent or cuts the line, unless a person takes over', async () => {
    for (const serve of [() => undefined, (socket: Socket) => socket.destroy()]) {
      const server = await register(1, serve);
      try {
        const asked = await claim(2);
        const { epoch } = asked.kind === 'silent' ? asked.owner : assert.fail(asked.kind);
        const next = await owned(2, { takeOverFrom: epoch });
        assert.equal(next.epoch, epoch + 1);
        await next.release();
      } finally {
        server.close();
      }
    }
  });

  it('keeps every later link while an earlier owner’s process still runs, and forgets them after it', async () => {
    const first = await owned(1);
    for (const pid of [2, 3, 4]) {
      await owned(pid, { takeOverFrom: (await registeredOwner(owners))?.epoch });
      running.delete(pid);
    }
    assert.deepEqual(await readdir(owners), ['epoch.1', 'epoch.2', 'epoch.3', 'epoch.4']);
    assert.ok((await readFile(first.laterOwner)).length > 0);

    running.delete(1);
    await owned(5, { takeOverFrom: 4 });

    assert.deepEqual(await readdir(owners), ['epoch.4', 'epoch.5']);
  });

  it('removes what a killed rival left half done', async () => {
    await owned(1);
    await writeFile(path.join(owners, 'new.77.0123456789abcdef'), '{');
    await writeFile(path.join(owners, 'new.78.0123456789abcdef'), '{');
    running.add(78);
    await owned(2, { takeOverFrom: 1 });
    assert.deepEqual(
      (await readdir(owners)).filter((name) => name.startsWith('new')),
      ['new.78.0123456789abcdef'],
    );
  });

  it('is refused with the file’s name when the latest record is unreadable', async () => {
    await owned(1);
    await writeFile(path.join(owners, 'epoch.7'), 'not json');
    await assert.rejects(claim(2), /epoch\.7 cannot be read/);
  });
});
