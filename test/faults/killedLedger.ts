/** kill -9 of a process that commits under load, again and again on one storage folder: everything acknowledged is found. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readState } from '../../src/ledger/history.ts';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { stateOf } from '../../src/ledger/squadLedger.ts';
import { SeededRandom } from '../support/seededRandom.ts';
import { fingerprint } from './fingerprint.ts';

const SCRIPT = path.join(import.meta.dirname, 'ledgerUnderLoad.ts');
const LONGEST_LIFE_MS = 400;

/** Kills that often. Answers how many commits had been acknowledged; throws with the command that replays it. */
export async function killUnderLoad(seed: number, kills: number): Promise<number> {
  const replay = `replay with: DEVSQUAD_SEED=${seed} npm run test:unit -- --grep "killed under load"`;
  const random = new SeededRandom(seed);
  const folder = mkdtempSync(path.join(tmpdir(), 'killed-'));
  const storage = path.join(folder, 'storage');
  const acknowledged = new Map<number, string>();
  try {
    for (let epoch = 1; epoch <= kills; epoch++) {
      const notes = path.join(folder, `notes-${epoch}`);
      await live([storage, String(epoch), String(seed + epoch), notes], random.between(1, LONGEST_LIFE_MS));
      for (const line of readFileSync(notes, 'utf8').split('\n').slice(0, -1)) {
        const [sequence = '', print = ''] = line.split(' ');
        acknowledged.set(Number(sequence), print);
      }
      await check(storage, acknowledged, replay);
    }
    return acknowledged.size;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Begins to count when the first commit is acknowledged, and kills then. */
async function live(args: readonly string[], lifeMs: number): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stdout.once('data', () => {
    setTimeout(() => child.kill('SIGKILL'), lifeMs);
  });
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(errors, '');
}

export async function check(storage: string, acknowledged: ReadonlyMap<number, string>, replay: string): Promise<void> {
  const { events, lastSequence, damage } = await readJournal(storage);
  assert.deepEqual(damage, [], replay);
  const found = new Map(events.map((event) => [event.sequence, event]));
  assert.equal(found.size, events.length, `an event twice; ${replay}`);
  for (const [sequence, print] of acknowledged) {
    const event = found.get(sequence);
    assert.ok(event, `event ${sequence} of ${lastSequence} was acknowledged and is lost; ${replay}`);
    assert.equal(fingerprint(event), print, `event ${sequence} is another one; ${replay}`);
  }
  assert.deepEqual(await readState(storage), stateOf({ events }), replay);
}
