/**
 * The longest turn of the main thread while messages are written, images and tables included. The machine may take the
 * processor away in the middle of a turn, so the processor time of a turn stands beside its length.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../src/ledger/limits.ts';
import { BigSquad, makeBigSquad } from './ledger/bigSquad.ts';

const PER_SECOND = 1_000;
/** What another program's turn at the processor has held up is not made up for in one turn. */
const MOST_IN_A_TURN = 10;
const SECONDS = 30;
/** 100 MB of state, and so much behind the image that another one is due soon. */
const [IN_IMAGE, BEHIND] = [60_000, 15_000];

export async function run(): Promise<void> {
  const storage = mkdtempSync(path.join(tmpdir(), 'stall-'));
  try {
    await makeBigSquad(storage, IN_IMAGE, BEHIND);
    const squad = await BigSquad.open(storage, 4, { ...LIMITS, imageRecords: 5_000 });
    // What the start has left to do is not what is measured.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const before = images(storage);
    const turns = await measure(squad);
    const made = images(storage).filter((name) => !before.includes(name)).length;
    await squad.close();
    console.log(
      `| ${SECONDS} s of ${PER_SECOND} messages/s, ${made} images of 100 MB meanwhile | p50 | p99 | longest | must |`,
    );
    console.log('|---|---|---|---|---|');
    row(
      'turn of the main thread, ms',
      turns.map(({ ms }) => ms),
      '15',
    );
    row(
      'its processor time, ms',
      turns.map(({ cpuMs }) => cpuMs),
      '15',
    );
  } finally {
    rmSync(storage, { recursive: true });
  }
}

interface Turn {
  readonly ms: number;
  readonly cpuMs: number;
}

/** A timer of 1 ms ends a turn each time; what it had to wait for is the turn. */
async function measure(squad: BigSquad): Promise<Turn[]> {
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
      squad.ledger.append(squad.message());
    }
    appended += Math.max(0, due);
  }
  return turns;
}

function images(storage: string): string[] {
  return readdirSync(storage).filter((name) => /^state\.\d+\.\d+$/.test(name));
}

function row(name: string, values: readonly number[], must: string): void {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  console.log(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${must} |`);
}
