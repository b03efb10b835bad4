import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LineSocket } from '../../../src/ledger/lineSocket.ts';
import { ask, listen, openLine, type OwnerSocket } from '../../../src/ledger/ownerSocket.ts';

describe('a line to an owner', () => {
  let folder: string;
  let owner: OwnerSocket;
  let lines: LineSocket[];
  let taken: unknown[];
  const clients: Socket[] = [];
  const { signal } = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'line-'));
    [lines, taken] = [[], []];
    owner = await listen([folder], (value, line) => {
      taken.push(value);
      if (!lines.includes(line)) {
        lines.push(line);
      }
      line.send({ got: taken.length });
    });
  });
  afterEach(async () => {
    clients.splice(0).forEach((client) => client.destroy());
    await owner.close();
    await rm(folder, { recursive: true });
  });

  const client = (): Socket => {
    const socket = connect(owner.address).on('error', () => undefined);
    clients.push(socket);
    return socket;
  };
  const closed = (socket: Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.resume().once('close', () => {
        resolve();
      });
    });
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };

  it('carries values however they are cut on the way', async () => {
    const socket = client();
    const text = `${JSON.stringify({ a: 'ü€𝄞\n' })}\n[1]\n`;
    for (const byte of Buffer.from(text)) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => taken.length === 2);
    assert.deepEqual(taken, [{ a: 'ü€𝄞\n' }, [1]]);
  });

  it('tells what is no JSON from what is, and goes on', async () => {
    client().write('{{{\n\n{"__proto__":1}\nnull\n"x"\n');
    await until(() => taken.length === 5);
    assert.deepEqual(taken.slice(0, 2), [undefined, undefined]);
    assert.deepEqual(taken.slice(3), [null, 'x']);
  });

  for (const [what, text] of [
    ['that never ends', 'x'.repeat(64 * 1024)],
    ['that is too long', `"${'x'.repeat(64 * 1024)}`],
  ] as const) {
    it(`is cut when somebody sends a line ${what}, and others are answered`, async () => {
      const socket = client();
      const over = closed(socket);
      for (let sent = 0; sent < 40 && !socket.destroyed; sent++) {
        socket.write(text);
      }
      socket.write('"\n');
      await over;
      assert.deepEqual(taken, []);
      assert.equal((await ask(owner.address, {}, 5_000, signal)).kind, 'answered');
    });
  }

  it('is cut when the other end reads nothing, before much is kept for it', async () => {
    const socket = client();
    socket.pause();
    socket.write('1\n');
    await until(() => lines.length === 1);
    const [line] = lines;
    const ends: string[] = [];
    line?.onClose(() => ends.push('closed'));
    const message = { text: 'x'.repeat(1024 * 1024) };
    for (let sent = 0; sent < 64; sent++) {
      line?.send(message);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(ends, ['closed']);
  });

  it('says whether the other end is there, silent, or cuts the line', async () => {
    assert.equal((await ask(path.join(folder, 'none'), {}, 500, signal)).kind, 'gone');
    const silent = await listen([folder], () => undefined);
    const cutting = await listen([folder], (_, line) => {
      line.close();
    });
    assert.equal((await ask(silent.address, {}, 50, signal)).kind, 'silent');
    assert.equal((await ask(cutting.address, {}, 5_000, signal)).kind, 'cut');
    await Promise.all([silent.close(), cutting.close()]);
  });

  it('is not opened, and leaves nothing, when whoever wants it goes', async () => {
    const going = new AbortController();
    const asked = ask((await listenSilently(folder)).address, {}, 60_000, going.signal);
    going.abort(new Error('going'));
    await assert.rejects(asked, /going/);
    await assert.rejects(
      openLine(owner.address, 1_000, going.signal, () => undefined),
      /going/,
    );
  });
});

async function listenSilently(folder: string): Promise<OwnerSocket> {
  const owner = await listen([folder], () => undefined);
  after(() => owner.close());
  return owner;
}
