/**
 * Stops a process that commits, or lets a system call of it fail, at every system call that changes something in the storage
 * folder, one after the other: `strace` makes it happen. Afterwards everything acknowledged is found.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/host/clock.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { check } from './killedLedger.ts';

const SCRIPT = path.join(import.meta.dirname, 'fewCommits.ts');
/** Those that change something, and how each of them is made to fail. */
const CHANGES = {
  openat: 'ENOSPC',
  write: 'ENOSPC',
  pwrite64: 'ENOSPC',
  fdatasync: 'EIO',
  fsync: 'EIO',
  rename: 'EIO',
  unlink: 'EIO',
  mkdir: 'ENOSPC',
} as const;
type Call = keyof typeof CHANGES;

/** The n-th call of a thread to that file or folder. */
export interface Site {
  readonly call: Call;
  readonly file: string;
  readonly nth: number;
}

export function hasStrace(): boolean {
  return spawnSync('strace', ['--version']).status === 0;
}

/** Every site of one undisturbed life. */
export function sites(): Site[] {
  return withStorage((storage, folder) => {
    const log = path.join(folder, 'log');
    const { status, stderr } = strace(storage, ['-y', '-o', log, '-e', `trace=${Object.keys(CHANGES).join()}`]);
    assert.equal(status, 0, stderr);
    const counts = new Map<string, number>();
    const found = new Map<string, Site>();
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      const match = /^(\d+) +(\w+)\((.*)$/.exec(line);
      const [, thread = '', call = '', rest = ''] = match ?? [];
      const file = new RegExp(`[<"](${storage}[^">]*)[>"]`).exec(rest)?.[1];
      // Opening for reading changes nothing.
      if (file === undefined || (call === 'openat' && !rest.includes('O_CREAT'))) {
        continue;
      }
      const of = `${call} ${path.relative(storage, file)}`;
      const nth = (counts.get(`${thread} ${of}`) ?? 0) + 1;
      counts.set(`${thread} ${of}`, nth);
      // The expression takes the names of CHANGES only, because nothing else was traced.
      found.set(`${of} ${nth}`, { call: call as Call, file: path.relative(storage, file), nth });
    }
    return [...found.values()];
  });
}

/** Answers how many commits had been acknowledged. */
export async function disturb({ call, file, nth }: Site, how: 'kill' | 'error'): Promise<number> {
  const what = how === 'kill' ? 'signal=SIGKILL' : `error=${CHANGES[call]}`;
  return withStorage(async (storage) => {
    const target = path.join(storage, file);
    const inject = ['-P', target, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${nth}`, '-o', '/dev/null'];
    const { stdout } = strace(storage, inject);
    const lines = stdout.split('\n').slice(0, -1);
    const acknowledged = new Map(
      lines.map((line): [number, string] => {
        const [sequence = '', print = ''] = line.split(' ');
        return [Number(sequence), print];
      }),
    );
    const replay = `the ${nth}. ${call} of ${file}, ${what}`;
    await check(storage, acknowledged, replay);
    const again = await SquadLedger.open({
      storage,
      epoch: 2,
      laterOwner: path.join(storage, 'epoch.3'),
      host: 'terminal',
      clock: systemClock,
    });
    assert.deepEqual(again.damage, [], replay);
    await again.close();
    return acknowledged.size;
  });
}

function strace(
  storage: string,
  options: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const args = ['-f', '--seccomp-bpf', '-qq', ...options, process.execPath, SCRIPT, storage];
  return spawnSync('strace', args, { encoding: 'utf8', timeout: 60_000 });
}

function withStorage<Result>(work: (storage: string, folder: string) => Result): Result {
  const folder = mkdtempSync(path.join(tmpdir(), 'calls-'));
  const clear = (): void => {
    rmSync(folder, { recursive: true });
  };
  const result = work(path.join(folder, 'storage'), folder);
  if (result instanceof Promise) {
    void result.finally(clear).catch(() => undefined);
  } else {
    clear();
  }
  return result;
}
