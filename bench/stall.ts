/**
 * The longest turn of the main thread while messages are written, images and tables included. The machine may take the
 * processor away in the middle of a turn, so the processor time of a turn stands beside its length.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../src/ledger/limits.ts';
import { BigSquad, makeBigSquad, type Mail } from './ledger/bigSquad.ts';

const PER_SECOND = 1_000;
/** What another program's turn at the processor has held up is not made up for in one turn. */
const MOST_IN_A_TURN = 10;
const SECONDS = 30;
/** 100 MB, and so much behind the image that another one is due soon. */
const [IN_IMAGE, BEHIND] = [60_000, 15_000];
/** More mail can wait only where inboxes have no bound, which they have in a squad: its own heap is what is long to collect. */
const CASES: readonly { name: string; mail: Mail; must: string }[] = [
  { name: '100 MB of mail taken in: journal and tables', mail: 'is taken in', must: '15' },
  { name: '100 MB of mail that waits: the living state', mail: 'waits', must: '' },
];

export async function run(): Promise<void> {
  console.log(`| ${SECONDS} s of ${PER_SECOND} messages/s | | p50 | p99 | longest | must | images meanwhile |`);
  console.log('|---|---|---|---|---|---|---|');
  for (const { name, mail, must } of CASES) {
    const storage = mkdtempSync(path.join(tmpdir(), 'stall-'));
    try {
      await makeBigSquad(storage, mail, IN_IMAGE, BEHIND);
      const squad = await BigSquad.open(storage, 4, { ...LIMITS, imageRecords: 5_000 });
      // What the start has left to do is not what is measured.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      const before = images(storage);
      const turns = await measure(squad, mail);
      const made = images(storage).filter(({ name: image }) => !before.some((each) => each.name === image));
      await squad.close();
      const meanwhile = made.map(({ kind, bytes }) => `${kind} ${(bytes / 1e6).toFixed(0)} MB`).join(', ');
      const row = (what: string, of: (turn: Turn) => number): void => {
        const sorted = turns.map(of).sort((one, other) => one - other);
        const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
        console.log(`| ${name} | ${what} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${must} | ${meanwhile} |`);
      };
      row('turn, ms', ({ ms }) => ms);
      row('its processor time, ms', ({ cpuMs }) => cpuMs);
    } finally {
      rmSync(storage, { recursive: true });
    }
  }
}

interface Turn {
  readonly ms: number;
  readonly cpuMs: number;
}

/** A timer of 1 ms ends a turn each time; what it had to wait for is the turn. */
async function measure(squad: BigSquad, mail: Mail): Promise<Turn[]> {
  const turns: Turn[] = [];
  const begun = performance.now();
  let appended = 0;
  for (let [last, cpu] = [begun, process.threadCpuUsage()]; last - begun < SECONDS * 1000;) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(cpu);
    turns.push({ ms: now - last - 1, cpuMs: (user + system) / 1000 });
    [last, cpu] = [performance.now(), process.threadCpuUsage()];
    const due = Math.floor(((now - begun) / 1000) * PER_SECOND) - appended;
    for (let index = 0; index < Math.min(due, MOST_IN_A_TURN); index++) {
      squad.ledger.append(...squad.message(mail));
    }
    appended += Math.max(0, due);
  }
  return turns;
}

/** Images of the state and of the tables, each by a name that tells it from the one before. */
function images(storage: string): { name: string; kind: string; bytes: number }[] {
  return readdirSync(storage)
    .filter((name) => /^state\.\d+\.\d+$|^tables\.sqlite$/.test(name))
    .map((name) => {
      const { size, mtimeMs } = statSync(path.join(storage, name));
      const kind = name.startsWith('state') ? 'state' : 'tables';
      return { name: `${name} ${mtimeMs}`, kind, bytes: size };
    });
}
