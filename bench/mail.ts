/**
 * Durable mail beside its peers: 1 KB sent and acknowledged, both durable, one at a time and 64 in flight. All systems take
 * turns in short slices, so that whatever else the machine does falls on all of them; ratios are taken within a turn.
 */
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { openFloor } from './mail/floor.ts';
import { manyInFlight, oneAtATime, type MailSystem } from './mail/mailSystem.ts';
import { openNativeSqlite } from './mail/nativeSqlite.ts';
import { SquadMail } from './mail/squadMail.ts';
import { openPostgresSystems } from './peers/postgres.ts';
import { openRedisSystems } from './peers/redis.ts';

const TURNS = 25;
/** Not counted: a squad that works has been compiled long ago. */
const WARM_UP_TURNS = 5;
const SLICE_MS = 200;
const BURST = 100_000;
const TMPFS = 0x01021994;

interface Figures {
  readonly one: number[];
  readonly many: number[];
  readonly settleMs: number[];
}

export async function run(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mail-'));
  try {
    if (statfsSync(folder).type === TMPFS) {
      throw new Error(`${tmpdir()} lies in memory, where a sync costs nothing: set TMPDIR to a folder on a disk.`);
    }
    const ours = await SquadMail.open(folder);
    const systems: MailSystem[] = [
      openFloor(folder),
      ours,
      ...(await openRedisSystems(folder)),
      ...(await openPostgresSystems(folder)),
      openNativeSqlite(folder),
    ];
    printTable(systems, await takeTurns(systems));
    for (const system of systems) {
      await system.close();
    }
    await burst(mkdtempSync(path.join(folder, 'burst-')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Figures of each system, one of each kind a turn. */
async function takeTurns(systems: readonly MailSystem[]): Promise<Figures[]> {
  const figures = systems.map((): Figures => ({ one: [], many: [], settleMs: [] }));
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    for (const [index, system] of systems.entries()) {
      const one = await oneAtATime(system, SLICE_MS);
      const many = await manyInFlight(system, SLICE_MS);
      const sent = performance.now();
      await system.settled?.();
      if (turn >= WARM_UP_TURNS) {
        figures[index]?.one.push(one);
        figures[index]?.many.push(many);
        figures[index]?.settleMs.push(performance.now() - sent);
      }
    }
  }
  return figures;
}

function printTable(systems: readonly MailSystem[], figures: readonly Figures[]): void {
  const [floor, ours] = figures;
  if (!floor || !ours) {
    return;
  }
  console.log(
    `Medians of ${TURNS} turns of ${SLICE_MS} ms each, ${WARM_UP_TURNS} before them to warm up, ${cpus().length} cores. Ratios are medians of the turns' own.\n`,
  );
  console.log(
    '| | one at a time /s | ÷ floor | ours ÷ it | 64 in flight /s | ÷ floor | ours ÷ it | tables behind, ms |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const [index, { one, many, settleMs }] of figures.entries()) {
    const system = systems[index];
    const cells = [
      system?.name,
      count(median(one)),
      median(ratios(one, floor.one)).toFixed(2),
      median(ratios(ours.one, one)).toFixed(2),
      count(median(many)),
      median(ratios(many, floor.many)).toFixed(2),
      median(ratios(ours.many, many)).toFixed(2),
      system?.settled ? count(median(settleMs)) : '',
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  console.log(`| must | | 0.60 | | 20,000 | | | |`);
  console.log(`| goal | | 0.85 | | 45,000 | | | |\n`);
}

/** Everything at once: the squad must take it and come back to rest. */
async function burst(folder: string): Promise<void> {
  const ours = await SquadMail.open(folder);
  const started = performance.now();
  await Promise.all(Array.from({ length: BURST }, () => ours.roundTrip()));
  const acknowledged = performance.now();
  await ours.settled();
  const settled = performance.now();
  await ours.close();
  console.log(`| a burst of ${count(BURST)} | all acknowledged, ms | /s | tables caught up after that, ms |`);
  console.log('|---|---|---|---|');
  const tookMs = acknowledged - started;
  console.log(`| ours | ${count(tookMs)} | ${count((BURST * 1000) / tookMs)} | ${count(settled - acknowledged)} |`);
}

function ratios(values: readonly number[], to: readonly number[]): number[] {
  return values.map((value, index) => value / (to[index] ?? NaN));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
