/** What the system tells about processes: by the mark that every command of ours carries in its environment, and by group. */
import { readdir, readFile } from 'node:fs/promises';

export const EFFECT_VARIABLE = 'DEVSQUAD_EFFECT';

/** Process ids, on Linux only; never this process or one that it runs in (DevSquad may itself be the command of another DevSquad). */
export async function findMarked(effectPrefix: string): Promise<number[]> {
  if (process.platform !== 'linux' || effectPrefix === '') {
    return [];
  }
  const own = await ancestors();
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && !own.has(pid));
  const marked = await Promise.all(pids.map(async (pid) => ({ pid, effect: await effectOf(pid) })));
  return marked.filter(({ effect }) => effect !== undefined && belongsTo(effect, effectPrefix)).map(({ pid }) => pid);
}

function belongsTo(effect: string, prefix: string): boolean {
  return effect === prefix || effect.startsWith(prefix.endsWith('.') ? prefix : `${prefix}.`);
}

/** Undefined for processes of other users, for zombies and for those that have just ended: none can be told apart. */
async function effectOf(pid: number): Promise<string | undefined> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    const mark = environment.split('\0').find((entry) => entry.startsWith(`${EFFECT_VARIABLE}=`));
    return mark?.slice(EFFECT_VARIABLE.length + 1);
  } catch {
    return undefined;
  }
}

/**
 * Whether anything of a process group still runs. A process that has ended but that nobody asked about yet does not
 * count; outside Linux it does, for nothing tells it apart.
 */
export async function isGroupAlive(group: number): Promise<boolean> {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') {
    return true;
  }
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1);
  const facts = await Promise.all(pids.map(factsOf));
  return facts.some((fact) => fact.group === group && fact.state !== 'Z' && fact.state !== 'X');
}

async function ancestors(): Promise<Set<number>> {
  const found = new Set<number>();
  let pid = process.pid;
  while (pid > 1 && !found.has(pid)) {
    found.add(pid);
    pid = (await factsOf(pid)).parent;
  }
  return found;
}

async function factsOf(pid: number): Promise<{ state: string; parent: number; group: number }> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name stands in parentheses and may hold anything; the fields after it are plain.
  const [state = 'X', parent, group] = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent ?? 0), group: Number(group ?? 0) };
}
