/** Rivals for one squad, owners that are killed or stopped, and what must hold of all they acknowledged. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readJournal } from '../../src/ledger/journalFile.ts';
import { seeded } from './killedRun.ts';

export interface RivalOptions {
  readonly folder: string;
  /** By how much its clock is wrong. */
  readonly skewMs: number;
  readonly helloTimeoutMs: number;
  /** Whether a person says yes, and the silent owner's process cannot be ended. */
  readonly takesOver: boolean;
}

export type RivalWord =
  | { type: 'waiting' }
  | { type: 'owns'; epoch: number }
  | { type: 'acknowledged'; id: string; sequence: number }
  | { type: 'closed'; reason: string };

type Acknowledged = Extract<RivalWord, { type: 'acknowledged' }>;

const program = path.join(import.meta.dirname, 'rivalOwner.ts');
const WAIT_MS = 30_000;
const THREE_YEARS_MS = 3 * 365 * 24 * 3_600_000;
const SKEWS_MS = [0, THREE_YEARS_MS, -3_600_000];

class Rival {
  readonly words: RivalWord[] = [];
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;

  constructor(options: RivalOptions) {
    const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      // What a killed process left half said is not said.
      text = lines.pop() ?? '';
      this.words.push(...lines.map((line) => JSON.parse(line) as RivalWord));
    });
    this.ended = new Promise((resolve) => {
      child.on('close', () => {
        resolve();
      });
    });
  }

  get epoch(): number | undefined {
    return this.words.find((word) => word.type === 'owns')?.epoch;
  }

  get acknowledged(): Acknowledged[] {
    return this.words.filter((word) => word.type === 'acknowledged');
  }

  get closedBecause(): string | undefined {
    return this.words.find((word) => word.type === 'closed')?.reason;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** Owners killed at random moments, one after the other, with rivals that wait; answers how much was acknowledged. */
export async function killOwners(seed: number, takeOvers: number): Promise<number> {
  const replay = `replay with: DEVSQUAD_SEED=${seed} DEVSQUAD_TAKE_OVERS=${takeOvers} npm run test:scenarios -- --grep owner`;
  const random = seeded(seed);
  const folder = newFolder();
  const all: Rival[] = [];
  const start = (): void => {
    const skewMs = SKEWS_MS[Math.floor(random() * SKEWS_MS.length)] ?? 0;
    all.push(new Rival({ folder, skewMs, helloTimeoutMs: 10_000, takesOver: false }));
  };
  try {
    for (let count = 0; count < 5; count++) {
      start();
    }
    let last = 0;
    for (let count = 0; count < takeOvers; count++) {
      const owner = await until(() => all.find(({ epoch }) => epoch !== undefined && epoch > last));
      last = owner.epoch ?? 0;
      await pause(random() * 120);
      await owner.kill();
      start();
    }
    await until(() => all.find(({ epoch, acknowledged }) => (epoch ?? 0) > last && acknowledged.length > 0));
    await Promise.all(all.map((rival) => rival.kill()));
    await checkAcknowledged(folder, all, replay);
    // Of four dead owners at most the last one's socket is left, and of those that waited none.
    assert.ok(readdirSync(path.join(folder, 'run')).length <= 1, replay);
    return all.flatMap(({ acknowledged }) => acknowledged).length;
  } finally {
    await Promise.all(all.map((rival) => rival.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An owner that is stopped and taken over from, and wakes. */
export async function wakeAnOwner(): Promise<void> {
  const folder = newFolder();
  const start = (takesOver: boolean): Rival => new Rival({ folder, skewMs: 0, helloTimeoutMs: 500, takesOver });
  const old = start(false);
  const all = [old];
  try {
    await until(() => (old.acknowledged.length > 10 ? old : undefined));
    old.signal('SIGSTOP');
    for (let count = 0; count < 3; count++) {
      // Each next one takes over from one that is stopped too, so that the first is two owners behind when it wakes.
      const next = start(true);
      all.push(next);
      await until(() => (next.acknowledged.length > 10 ? next : undefined));
      if (count < 2) {
        next.signal('SIGSTOP');
      }
    }
    const before = all.map(({ acknowledged }) => acknowledged.length);
    const asleep = all.slice(0, 3);
    for (const rival of asleep) {
      rival.signal('SIGCONT');
      await until(() => rival.closedBecause);
    }
    await pause(100);
    asleep.forEach((rival, index) => {
      assert.match(rival.closedBecause ?? '', /taken over/);
      assert.equal(rival.acknowledged.length, before[index], 'a woken owner acknowledged something');
    });
    await Promise.all(all.map((rival) => rival.kill()));
    await checkAcknowledged(folder, all, '');
  } finally {
    await Promise.all(all.map((rival) => rival.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing acknowledged is missing or something else, and no event was acknowledged by two owners. */
async function checkAcknowledged(folder: string, rivals: readonly Rival[], replay: string): Promise<void> {
  const { events, damage } = await readJournal(path.join(folder, 'storage'));
  assert.deepEqual(damage, [], replay);
  const epochs = rivals.flatMap(({ epoch }) => epoch ?? []);
  assert.equal(new Set(epochs).size, epochs.length, `two owners of one epoch; ${replay}`);
  const acknowledged = rivals.flatMap((rival) => rival.acknowledged);
  assert.equal(new Set(acknowledged.map(({ sequence }) => sequence)).size, acknowledged.length, `doubled; ${replay}`);
  for (const { id, sequence } of acknowledged) {
    const event = events[sequence - 1];
    assert.ok(event?.type === 'agent-created' && event.agent.id === id, `${id} is lost; ${replay}`);
  }
}

async function until<Value>(find: () => Value | undefined): Promise<Value> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end;) {
    const found = find();
    if (found !== undefined) {
      return found;
    }
    await pause(5);
  }
  throw new Error('It did not come to that.');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function newFolder(): string {
  return realpathSync(mkdtempSync(path.join(tmpdir(), 'owners-')));
}
