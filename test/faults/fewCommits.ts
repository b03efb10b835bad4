/**
 * A process that makes a few commits one after the other, with a blob, a new segment, an image and its housekeeping, and
 * closes: `fewCommits.ts STORAGE`. It says what was acknowledged, a line each: sequence and fingerprint.
 */
import { writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/host/clock.ts';
import { systemFiles } from '../../src/ledger/files.ts';
import { LIMITS } from '../../src/ledger/limits.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { listStorage } from '../../src/ledger/storageFolder.ts';
import { workerThreads } from '../../src/ledger/threads.ts';
import { RUNTIME, type EventDraft } from '../../src/domain/events.ts';
import { anyMessage, anyOptions } from '../support/builders.ts';
import { fingerprint } from './fingerprint.ts';

const RECORDS = 3;
let patienceMs = 1_500;
let timeMs = 0;

const [storage = ''] = process.argv.slice(2);
const runId = 'run-1';
const say = (text: string, id: number): EventDraft => ({
  type: 'message-sent',
  runId,
  actor: RUNTIME,
  message: anyMessage({ id: `m${id}`, runId, content: { kind: 'text', text } }),
});
const usage = { tokens: 1, requests: 1, workedMs: 1 };
const drafts: EventDraft[] = [
  { type: 'run-started', runId, actor: RUNTIME, objective: 'Greet', options: anyOptions() },
  say('short', 1),
  say('long'.repeat(400), 2),
  { type: 'run-ended', runId, actor: RUNTIME, status: 'succeeded', usage },
  { type: 'run-archived', runId, actor: RUNTIME, reason: 'old' },
  ...Array.from({ length: 9 }, (_, id): EventDraft => ({
    type: 'run-started',
    runId: `run-${id + 2}`,
    actor: RUNTIME,
    objective: 'x',
    options: anyOptions(),
  })),
];

const ledger = await SquadLedger.open({
  storage,
  epoch: 1,
  laterOwner: path.join(storage, 'epoch.2'),
  host: 'terminal',
  // The same events each time, and so the same names of files.
  clock: { ...systemClock, now: () => (timeMs += 1000) },
  ground: {
    files: systemFiles,
    threads: workerThreads,
    limits: {
      ...LIMITS,
      blobBytes: 1_000,
      segmentBytes: 1_000,
      imageRecords: RECORDS,
      imageRestMs: 0,
      archivedRuns: 0,
    },
  },
});
writeFileSync(path.join(storage, 'tables.json'), '{"lastSequence":100}');
for (const draft of drafts) {
  const { events, durable } = ledger.append(draft);
  await durable;
  for (const event of events) {
    writeSync(1, `${event.sequence} ${fingerprint(event)}\n`);
  }
  await imageOf(ledger.state.sequence);
}
await ledger.close();

/** An image that is due comes to its end first, so that each time the same happens in the same order. */
async function imageOf(sequence: number): Promise<void> {
  const newest = (): number => listStorage(systemFiles, storage).images[0]?.sequence ?? 1;
  for (; sequence - newest() >= RECORDS && patienceMs > 0; patienceMs -= 10) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  // And what is tidied up after it.
  await new Promise((resolve) => setTimeout(resolve, 20));
}
