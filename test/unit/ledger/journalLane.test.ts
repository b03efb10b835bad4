import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { JournalReply, JournalRequest } from '../../../src/ledger/groupCommit.ts';
import { JournalLane, JournalPort, laneMemory, type Aside } from '../../../src/ledger/journalLane.ts';
import { encodeRecord } from '../../../src/ledger/journalRecord.ts';
import { workerThreads } from '../../../src/ledger/threads.ts';
import { SeededRandom } from '../../support/seededRandom.ts';

describe('the lane to the journal’s thread', () => {
  it('brings everything in order, what has blobs, is too long or found no room among the rest', () => {
    const ways = { memory: 0, blobs: 0, long: 0 };
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const { lane, port, end } = laneOf(2048);
      const [sent, arrived]: [JournalRequest[], JournalRequest[]] = [[], []];
      for (let sequence = 1; sequence < 600; sequence++) {
        const lot = Array.from({ length: random.between(1, 3) }, () => {
          const request = requestOf(random, sequence++);
          const isLong = request.type === 'append' && request.bytes.length > 2048;
          ways[isLong ? 'long' : request.type === 'append' && request.blobs.length > 0 ? 'blobs' : 'memory']++;
          return request;
        });
        sent.push(...lot);
        lane.send(lot);
        if (random.chance(0.3)) {
          arrived.push(...port.arrived());
        }
      }
      lane.send([{ type: 'close' }]);
      arrived.push(...port.arrived());
      end();
      assert.deepEqual(told(arrived), told([...sent, { type: 'close' }]), `seed ${seed}`);
    }
    assert.ok(Math.min(...Object.values(ways)) > 500, JSON.stringify(ways));
  });

  it('tells what is durable, and a failure after it, whether the sender looks for it or sleeps', async () => {
    const { lane, port, replies, posted, end } = laneOf(2048);
    const append = (lastSequence: number): void => {
      lane.send([{ type: 'append', bytes: Uint8Array.of(1), lastSequence, blobs: [] }]);
      assert.equal([...port.arrived()].length, 1);
    };
    append(1);
    append(3);
    port.reply({ type: 'durable', sequence: 1 });
    port.reply({ type: 'durable', sequence: 3 });
    await until(() => replies.length > 0);
    assert.deepEqual([replies, posted()], [[{ type: 'durable', sequence: 3 }], 0]);

    append(4);
    // Longer than anybody looks for an answer.
    await new Promise((resolve) => setTimeout(resolve, 20));
    port.reply({ type: 'durable', sequence: 4 });
    await until(() => replies.length > 1);
    append(5);
    port.reply({ type: 'durable', sequence: 5 });
    port.reply({ type: 'failed', message: 'full' });
    await until(() => replies.length > 3);
    assert.deepEqual(replies.slice(1), [
      { type: 'durable', sequence: 4 },
      { type: 'durable', sequence: 5 },
      { type: 'failed', message: 'full' },
    ]);
    end();
  });
});

describe('the journal’s thread', () => {
  it('is heard to its last word before its end is told, however busy its starter was', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'journal-'));
    const told: string[] = [];
    const start = { file: path.join(folder, 'segment'), laterOwner: path.join(folder, 'later'), segmentBytes: 10_000 };
    const thread = workerThreads.journal(start, {
      onReply: ({ type }) => told.push(type),
      onEnd: () => told.push('ended'),
    });
    thread.post({ type: 'append', bytes: encodeRecord(1, 1, '{}'), lastSequence: 1, blobs: [] });
    thread.flush();
    thread.post({ type: 'close' });
    thread.flush();
    // Long enough for the thread to write, to answer and to end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    await thread.ended;
    assert.deepEqual(told, ['durable', 'ended']);
    rmSync(folder, { recursive: true });
  });
});

/** Both ends in one thread: the thread's blocks only where nothing was sent. */
function laneOf(bytes: number) {
  const { port1, port2 } = new MessageChannel();
  const memory = laneMemory(bytes);
  const replies: JournalReply[] = [];
  const post = (aside: Aside): void => {
    port1.postMessage(aside);
  };
  const lane = new JournalLane(memory, post, (reply) => replies.push(reply));
  let posted = 0;
  port1.on('message', (reply: JournalReply) => {
    posted++;
    lane.receive(reply);
  });
  const port = new JournalPort(port2, memory);
  return {
    lane,
    port,
    replies,
    posted: () => posted,
    end: () => {
      port1.close();
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function requestOf(random: SeededRandom, sequence: number): JournalRequest {
  if (random.chance(0.05)) {
    return { type: 'rotate', file: `segment-${sequence}` };
  }
  const bytes = Uint8Array.from(Buffer.alloc(random.between(1, random.chance(0.1) ? 9_000 : 300), `${sequence},`));
  const blobs = random.chance(0.1) ? [{ name: `blob-${sequence}`, bytes }] : [];
  return { type: 'append', bytes, lastSequence: sequence, blobs };
}

/** What the journal makes of them: appends that follow each other are one. */
function told(requests: readonly JournalRequest[]): string[] {
  const texts: string[] = [];
  let [text, last] = ['', 0];
  for (const request of requests) {
    if (request.type === 'append') {
      last = request.lastSequence;
      text += Buffer.from(request.bytes).toString('latin1');
      texts.push(...request.blobs.map(({ name, bytes }) => `${name}: ${bytes.length}`));
    } else {
      texts.push(`to ${last}: ${text}`, JSON.stringify(request));
      text = '';
    }
  }
  return [...texts, text];
}
