/**
 * The files by which owners of one squad are registered: `epoch.<n>`, each made by an exclusive link, so that it appears
 * whole or not at all and only one process can make it. The latest one counts.
 */
import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, StorageError } from '../domain/errors.ts';
import { ownerRecordSchema, type OwnerRecord } from '../domain/owner.ts';

const EPOCH_LINK = /^epoch\.(\d+)$/;
const DRAFT = /^new\.(\d+)\.[0-9a-f]+$/;

/** The latest owner that registered, alive or not; undefined where there never was one. */
export async function registeredOwner(folder: string): Promise<OwnerRecord | undefined> {
  for (;;) {
    const epoch = (await linkedEpochs(folder)).at(-1);
    const owner = epoch === undefined ? undefined : await readOwner(folder, epoch);
    // Two later owners may have come and forgotten this one while we looked.
    if (owner !== 'forgotten') {
      return owner;
    }
  }
}

/** The link that the owner of `epoch` makes. */
export function epochLink(folder: string, epoch: number): string {
  return path.join(folder, `epoch.${epoch}`);
}

/** False when another process has registered under that epoch already. */
export async function linkExclusively(folder: string, record: OwnerRecord): Promise<boolean> {
  const draft = path.join(folder, `new.${record.pid}.${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(draft, JSON.stringify(record), { mode: 0o600, flag: 'wx', flush: true });
    return await isFirst(link(draft, epochLink(folder, record.epoch)));
  } catch (error) {
    throw new StorageError(`DevSquad cannot register as owner: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

async function isFirst(linked: Promise<void>): Promise<boolean> {
  try {
    await linked;
    return true;
  } catch (error) {
    // Or an owner that cannot see this process took its draft for a dead one's.
    if (error instanceof Error && 'code' in error && (error.code === 'EEXIST' || error.code === 'ENOENT')) {
      return false;
    }
    throw error;
  }
}

/**
 * Removes what owners before `epoch` left, oldest first. The links from the oldest process that still runs on stay: it may
 * have been stopped, and when it wakes it must find that another owner came after it. The one before `epoch` stays too.
 */
export async function forgetEarlier(
  folder: string,
  epoch: number,
  isRunning: (owner: Pick<OwnerRecord, 'pid' | 'startMark'>) => Promise<boolean>,
): Promise<void> {
  for (const earlier of (await linkedEpochs(folder)).filter((linked) => linked < epoch - 1)) {
    const owner = await readOwner(folder, earlier).catch(() => undefined);
    if (owner !== undefined && owner !== 'forgotten' && (await isRunning(owner))) {
      break;
    }
    await rm(epochLink(folder, earlier), { force: true });
  }
  for (const name of await namesIn(folder)) {
    const pid = DRAFT.exec(name)?.[1];
    if (pid !== undefined && !(await isRunning({ pid: Number(pid) }))) {
      await rm(path.join(folder, name), { force: true });
    }
  }
}

async function linkedEpochs(folder: string): Promise<number[]> {
  return (await namesIn(folder))
    .flatMap((name) => {
      const match = EPOCH_LINK.exec(name);
      return match ? [Number(match[1])] : [];
    })
    .sort((a, b) => a - b);
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}

async function readOwner(folder: string, epoch: number): Promise<OwnerRecord | 'forgotten'> {
  const file = epochLink(folder, epoch);
  try {
    return ownerRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      return 'forgotten';
    }
    throw new StorageError(`${file} cannot be read, so DevSquad cannot tell who owns this squad: ${messageOf(cause)}`, {
      cause,
    });
  }
}
