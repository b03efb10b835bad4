/**
 * A process that commits as fast as it can until it is killed: `ledgerUnderLoad.ts STORAGE EPOCH SEED NOTES`. It notes
 * what was acknowledged in a file, a line each: sequence and fingerprint; with the first it says so on standard output.
 */
import { openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../src/host/clock.ts';
import { systemFiles } from '../../src/ledger/files.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { workerThreads } from '../../src/ledger/threads.ts';
import { SeededRandom } from '../support/seededRandom.ts';
import { fingerprint } from './fingerprint.ts';
import { randomDraft } from './ledgerStory.ts';

const [storage = '', epoch = '', seed = '', notesFile = ''] = process.argv.slice(2);
const IN_FLIGHT = 32;

const ledger = await SquadLedger.open({
  storage,
  epoch: Number(epoch),
  laterOwner: path.join(storage, `epoch.${Number(epoch) + 1}`),
  host: 'terminal',
  clock: systemClock,
  ground: {
    files: systemFiles,
    threads: workerThreads,
    limits: {
      segmentBytes: 20_000,
      blobBytes: 1_000,
      imageRecords: 100,
      imageBytes: 50_000,
      imageSegments: 8,
      imageRestMs: 0,
      archivedRuns: 1_000,
      archivedBytes: 1e9,
    },
  },
});
const notes = openSync(notesFile, 'a');
const random = new SeededRandom(Number(seed));
let inFlight: Promise<void>[] = [];
let isFirst = true;
for (;;) {
  const { events, durable } = ledger.append(randomDraft(ledger.state, random));
  inFlight.push(
    durable.then(() => {
      for (const event of events) {
        writeSync(notes, `${event.sequence} ${fingerprint(event)}\n`);
      }
      if (isFirst) {
        isFirst = false;
        console.log('acknowledged');
      }
    }),
  );
  if (inFlight.length === IN_FLIGHT) {
    await Promise.all(inFlight);
    inFlight = [];
    const unfinished = path.join(storage, 'tables.json.new');
    writeFileSync(unfinished, JSON.stringify({ lastSequence: ledger.state.sequence }));
    renameSync(unfinished, path.join(storage, 'tables.json'));
  }
}
