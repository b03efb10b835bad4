/** Processes that own a squad, told apart from later ones that were given the same number. */
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnerRecord } from '../domain/owner.ts';

export type OwnerProcess = Pick<OwnerRecord, 'pid' | 'startMark'>;

const END_POLL_MS = 20;
const END_PATIENCE_MS = 5_000;

export async function thisProcess(): Promise<OwnerProcess> {
  const startMark = await startMarkOf(process.pid);
  return { pid: process.pid, ...(startMark === undefined ? {} : { startMark }) };
}

/** Whether that very process runs; where nothing tells it from a later one with its number, whether any such one does. */
export async function isRunning({ pid, startMark }: OwnerProcess): Promise<boolean> {
  if (startMark !== undefined) {
    return (await startMarkOf(pid)) === startMark;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Ends the process, unless it is over, or is not certainly the one that registered: a later process with the same number is
 * never touched. Answers whether nothing of it is left. It may be stopped or hang, so it is not asked, and the ledger
 * loses nothing by it.
 */
export async function endOwnerProcess(owner: OwnerProcess): Promise<boolean> {
  const { pid, startMark } = owner;
  if (startMark === undefined || pid === process.pid || (await startMarkOf(pid)) !== startMark) {
    return !(await isRunning(owner));
  }
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended, or is not ours to end; the next owner's epoch keeps it from doing anything more.
  }
  for (let waited = 0; (await isRunning(owner)) && waited < END_PATIENCE_MS; waited += END_POLL_MS) {
    await sleep(END_POLL_MS);
  }
  return !(await isRunning(owner));
}

/**
 * Boot, process namespace and start time in clock ticks since the boot. Undefined where there is no such process any more
 * (one that has ended but that nobody asked about yet is none), and outside Linux.
 */
async function startMarkOf(pid: number): Promise<string | undefined> {
  try {
    const [boot, namespace, status] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readlink('/proc/self/ns/pid').catch(() => ''),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The name stands in parentheses and may hold anything; state and start time are the 3rd and 22nd field.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    const startTicks = fields[19];
    return state === 'Z' || state === 'X' || startTicks === undefined
      ? undefined
      : `${boot.trim()}/${namespace}/${startTicks}`;
  } catch {
    return undefined;
  }
}
