import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { ImageReply } from '../../../src/ledger/imageKeeper.ts';
import { ImageMaker } from '../../../src/ledger/imageMaker.ts';
import { LIMITS } from '../../../src/ledger/limits.ts';
import type { LedgerThreads } from '../../../src/ledger/threads.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

const REST_MS = 100;

describe('who has images made', () => {
  let clock: VirtualClock;
  let asked: number[];
  let maker: ImageMaker;
  let reply: (reply: ImageReply) => void;
  let sequence: number;

  beforeEach(() => {
    clock = new VirtualClock();
    asked = [];
    sequence = 0;
    const threads: Pick<LedgerThreads, 'images'> = {
      images: (_start, listener) => {
        reply = (said) => {
          listener.onReply(said);
        };
        return { post: ({ upTo }) => asked.push(upTo), ended: Promise.resolve(), stop: () => Promise.resolve() };
      },
    };
    const limits = { ...LIMITS, imageRecords: 10, imageRestMs: REST_MS };
    maker = new ImageMaker({
      threads: threads as LedgerThreads,
      start: { storage: '', epoch: 1, laterOwner: '', limits, oldBlobs: [] },
      limits,
      history: { image: { sequence: 0, bytes: 0 }, behindImage: { segments: [], records: 0, bytes: 0 } },
      clock,
      onWarning: (sentence) => {
        throw new Error(sentence);
      },
    });
  });

  const write = (records: number): void => {
    sequence += records;
    maker.appended(records, records * 100, false);
    maker.durable(sequence);
  };
  const pass = async (ms: number): Promise<void> => {
    await turn();
    clock.advance(ms);
    await turn();
  };

  it('waits until the squad is at rest, and has all of it in the image', async () => {
    write(9);
    await pass(REST_MS);
    assert.deepEqual(asked, []);
    write(1);
    await pass(REST_MS - 1);
    write(2);
    await pass(1);
    assert.deepEqual(asked, []);
    await pass(REST_MS);
    assert.deepEqual(asked, [12]);
  });

  it('waits no longer than until twice as much was written, and begins to count anew', async () => {
    for (let count = 0; count < 19; count++) {
      write(1);
      await pass(REST_MS / 2);
    }
    assert.deepEqual(asked, []);
    write(1);
    await pass(REST_MS);
    assert.deepEqual(asked, [20]);
    reply({ type: 'imaged', sequence: 20, bytes: 100 });
    write(9);
    await pass(REST_MS);
    assert.deepEqual(asked, [20]);
  });

  it('asks for none once it is closed', async () => {
    write(10);
    await turn();
    await maker.close();
    await pass(REST_MS);
    assert.deepEqual(asked, []);
  });
});
