import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { RUNTIME, parseEvent, type EventDraft } from '../../../src/domain/events.ts';
import type { SquadState } from '../../../src/domain/squadState.ts';
import { systemFiles } from '../../../src/ledger/files.ts';
import { readHistory } from '../../../src/ledger/history.ts';
import type { SquadLedger } from '../../../src/ledger/squadLedger.ts';
import { readImage } from '../../../src/ledger/stateImage.ts';
import { listStorage } from '../../../src/ledger/storageFolder.ts';
import { anyAgent } from '../../support/builders.ts';
import { StoredLedgers } from '../../support/storedLedgers.ts';

const agent = (id: string): EventDraft => ({ type: 'agent-created', actor: RUNTIME, agent: anyAgent({ id }) });

describe('images of the state', () => {
  const ledgers = new StoredLedgers({ imageRecords: 10, segmentBytes: 1000 });
  const images = (): string[] => listStorage(systemFiles, ledgers.storage).images.map(({ name }) => name);

  /** Makes agents until so many images were written since, one after the other however slow the thread that writes them. */
  const writeImages = async (ledger: SquadLedger, count: number): Promise<void> => {
    for (let written = 0; written < count; written++) {
      const newest = images()[0];
      const add = () => ledger.append(agent(`agent-${ledger.state.sequence}`)).durable;
      for (let records = 0; records < 10; records++) {
        await add();
      }
      // The older ones go right after: a close in between leaves one to the next start.
      for (let waits = 1; images()[0] === newest || images().length > 3; waits++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (waits % 50 === 0) {
          // The thread may still have been busy with the last one when this one was due: only another event makes it due again.
          await add();
        }
      }
    }
  };

  it('are kept in three generations, and a start reads the newest and what stands behind it', async () => {
    const ledger = await ledgers.open();
    await writeImages(ledger, 5);
    await ledger.append(agent('last')).durable;
    await ledger.close();
    assert.equal(images().length, 3);

    const history = await readHistory(systemFiles, ledgers.storage);

    assert.equal(`state.1.${history.image.sequence}`, images()[0]);
    assert.deepEqual(history.state, ledger.state);
    assert.deepEqual(history.damage, []);
  });

  it('are passed over when damaged, which is told, and the files are kept under another name', async () => {
    const ledger = await ledgers.open();
    await writeImages(ledger, 3);
    await ledger.close();
    const [newest = '', second = '', third = ''] = images();
    await writeFile(path.join(ledgers.storage, newest), '');
    await writeFile(path.join(ledgers.storage, second), await readFile(path.join(ledgers.storage, third)));

    const again = await ledgers.open();

    assert.deepEqual(Object.keys(again.state.standing.agents), Object.keys(ledger.state.standing.agents));
    assert.deepEqual(again.damage, [
      `${newest} cannot be used: it is no image of a squad. It was kept as ${newest}.damaged-1; nothing was deleted.`,
      `${second} cannot be used: it holds the image of another moment. It was kept as ${second}.damaged-1; nothing was deleted.`,
    ]);
    await again.close();
    assert.equal((await readFile(path.join(ledgers.storage, `${newest}.damaged-1`))).length, 0);
  });

  it('are not read when a newer DevSquad wrote them', async () => {
    const ledger = await ledgers.open();
    await writeImages(ledger, 1);
    await ledger.close();
    const [name = ''] = images();
    const file = path.join(ledgers.storage, name);
    await writeFile(file, withStateVersion(await readFile(file), 1000));
    const before = await readdir(ledgers.storage);

    await assert.rejects(ledgers.open(), /newer DevSquad.*nothing was changed/);

    assert.deepEqual(await readdir(ledgers.storage), before);
  });

  it('of an older shape are brought to the present one, or passed over while the journal reaches back', async () => {
    const ledger = await ledgers.open();
    await writeImages(ledger, 1);
    await ledger.close();
    const [name] = listStorage(systemFiles, ledgers.storage).images;
    assert.ok(name);
    const file = path.join(ledgers.storage, name.name);
    await writeFile(file, withStateVersion(await readFile(file), 0));

    // Suppose that version 0 knew no epoch.
    const brought = readImage(systemFiles, ledgers.storage, name, {
      0: (old) => ({ ...(old as SquadState), epoch: 77 }),
      1: (old) => old,
    });
    assert.equal(brought.kind === 'good' && brought.image.state.epoch, 77);

    const again = await ledgers.open();
    assert.deepEqual(again.damage, []);
    assert.deepEqual(Object.keys(again.state.standing.agents), Object.keys(ledger.state.standing.agents));
    await again.close();

    await rm(path.join(ledgers.storage, 'journal.1.1'));
    await assert.rejects(ledgers.open(), /older DevSquad.*nothing was changed/);
  });
});

describe('an event of an older shape', () => {
  it('is brought to the present one', () => {
    // Suppose that version 0 called a reason a cause.
    const old = { version: 0, sequence: 7, epoch: 1, at: '2026-01-01T00:00:00.000Z', input: false };
    const rest = { type: 'run-archived', runId: 'run-1', actor: RUNTIME, cause: 'old' };
    const event = parseEvent(
      { ...old, ...rest },
      {
        0: (value) => {
          const { cause, ...others } = value as typeof rest;
          return { ...others, version: 1, reason: cause };
        },
      },
    );
    assert.equal(event.type === 'run-archived' && event.reason, 'old');
    assert.throws(() => parseEvent({ ...old, ...rest }));
  });
});

function withStateVersion(image: Buffer, version: number): Buffer {
  image.writeUInt32BE(version, 12);
  image.writeUInt32BE(crc32(image.subarray(0, 44)), 44);
  return image;
}
