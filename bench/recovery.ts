/** How long a start takes until the squad is back: each time in a process of its own, beside reading and parsing alone. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeBigSquad } from './ledger/bigSquad.ts';

const ROUNDS = 5;
const STORES = [
  { name: '10 MB store', inImage: 4_000, behind: 2_000, mustMs: 2_000 },
  { name: '100 MB image + 50,000 records', inImage: 75_000, behind: 50_000, mustMs: 3_000 },
];

export async function run(): Promise<void> {
  console.log(
    `| median of ${ROUNDS} | image, MB | journal behind it, MB | open, ms | read + JSON.parse alone, ms | must, ms |`,
  );
  console.log('|---|---|---|---|---|---|');
  for (const { name, inImage, behind, mustMs } of STORES) {
    const storage = mkdtempSync(path.join(tmpdir(), 'recovery-'));
    try {
      await makeBigSquad(storage, 'waits', inImage, behind);
      const [image, journal] = [sizeOf(storage, /^state\./), sizeOf(storage, /^journal\.3\./)];
      const [opens, floors]: [Figures[], Figures[]] = [[], []];
      for (let round = 0; round < ROUNDS; round++) {
        floors.push(once('floor', storage, 0));
        opens.push(once('ledger', storage, 4 + round));
      }
      const row = (what: string, of: (figures: Figures) => number): void => {
        const [open, floor] = [median(opens.map(of)), median(floors.map(of))].map((ms) => ms.toFixed(0));
        console.log(
          `| ${name}${what} | ${mb(image)} | ${mb(journal)} | ${open} | ${floor} | ${mustMs.toLocaleString('en')} |`,
        );
      };
      row('', ({ ms }) => ms);
      row(', processor time of the main thread', ({ cpuMs }) => cpuMs);
    } finally {
      rmSync(storage, { recursive: true });
    }
  }
}

interface Figures {
  readonly ms: number;
  readonly cpuMs: number;
}

function once(what: 'floor' | 'ledger', storage: string, epoch: number): Figures {
  const script = path.join(import.meta.dirname, 'ledger/openOnce.ts');
  const printed = execFileSync(process.execPath, [script, what, storage, String(epoch)], { encoding: 'utf8' });
  const [ms = 0, cpuMs = 0] = printed.split(' ').map(Number);
  return { ms, cpuMs };
}

function sizeOf(storage: string, name: RegExp): number {
  return readdirSync(storage)
    .filter((file) => name.test(file))
    .reduce((sum, file) => sum + statSync(path.join(storage, file)).size, 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
