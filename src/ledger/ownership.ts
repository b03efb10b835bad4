/**
 * Who owns a workspace's squad. Each owner is an epoch: a file that only one process can make, by an exclusive link. The
 * owner listens on a socket before it links, so whoever finds the link can ask whether the owner still lives.
 *
 *   nobody → linked (epoch n) → released or dead → linked by another (epoch n + 1)
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, SquadOwnedError, StorageError } from '../domain/errors.ts';
import { ownerRecordSchema, ownerRequestSchema, type OwnerRecord } from '../domain/owner.ts';
import type { Clock } from '../ports.ts';
import { ask, listen, type OwnerSocket } from './ownerSocket.ts';
import type { SquadHome } from './squadHome.ts';

const EPOCH_LINK = /^epoch\.(\d+)$/;
const HELLO_TIMEOUT_MS = 2000;
const POLL_MS = 200;

/** The latest owner that registered, alive or not; undefined where there never was one. */
export async function registeredOwner(folder: string): Promise<OwnerRecord | undefined> {
  const epochs = await linkedEpochs(folder);
  const last = epochs.at(-1);
  return last === undefined ? undefined : readOwner(folder, last);
}

/** Whether an owner answers now. */
export async function isAlive(owner: OwnerRecord, signal: AbortSignal): Promise<boolean> {
  return (await ask(owner.address, { type: 'hello' }, HELLO_TIMEOUT_MS, signal)).kind !== 'gone';
}

/** Asks the owner with its token; undefined when it is gone or silent. */
export async function askOwner(owner: OwnerRecord, request: object, signal: AbortSignal): Promise<unknown> {
  const answer = await ask(owner.address, { ...request, token: owner.token }, 10_000, signal);
  return answer.kind === 'answered' ? answer.reply : undefined;
}

export interface Ownership {
  readonly epoch: number;
  readonly token: string;
  /** Path of the link that the next owner would make. */
  readonly laterOwner: string;
  release(): Promise<void>;
}

export interface OwnershipOptions {
  readonly folder: string;
  readonly home: SquadHome;
  readonly storage: string;
  readonly host: 'terminal' | 'editor';
  readonly pid: number;
  readonly clock: Clock;
  /** How long a living owner is waited for. */
  readonly waitMs: number;
  /** Answers other processes; `hello` is answered here already. `trusted` tells that the token was shown. */
  readonly answer: (request: unknown, trusted: boolean) => Promise<unknown>;
}

/** Becomes the owner, or rejects with SquadOwnedError when a living one did not go within `waitMs`. */
export async function takeOwnership(options: OwnershipOptions, signal: AbortSignal): Promise<Ownership> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new StorageError(`DevSquad's folder ${options.folder} cannot be made: ${messageOf(cause)}`, { cause });
  });
  const token = randomBytes(16).toString('hex');
  const socket = await listen(options.home.runtimeFolders, (request) => answerRequest(options, token, request));
  try {
    const epoch = await linkNextEpoch(options, socket, token, signal);
    return {
      epoch,
      token,
      laterOwner: path.join(options.folder, `epoch.${epoch + 1}`),
      release: () => socket.close(),
    };
  } catch (error) {
    await socket.close();
    throw error;
  }
}

async function answerRequest(options: OwnershipOptions, token: string, request: unknown): Promise<unknown> {
  const { type, token: shown } = ownerRequestSchema.parse(request);
  return type === 'hello'
    ? { type: 'hello', pid: options.pid, host: options.host }
    : options.answer(request, shown === token);
}

async function linkNextEpoch(
  options: OwnershipOptions,
  socket: OwnerSocket,
  token: string,
  signal: AbortSignal,
): Promise<number> {
  const patience = options.clock.now() + options.waitMs;
  for (;;) {
    const last = await registeredOwner(options.folder);
    if (last && (await isAlive(last, signal))) {
      if (options.clock.now() >= patience) {
        throw new SquadOwnedError(last.pid, last.host);
      }
      await options.clock.sleep(POLL_MS, signal);
      continue;
    }
    const epoch = (last?.epoch ?? 0) + 1;
    const { pid, host, storage } = options;
    const record: OwnerRecord = { epoch, pid, host, address: socket.address, storage, token };
    if (await linkExclusively(options.folder, record)) {
      await forgetOldEpochs(options.folder, epoch);
      return epoch;
    }
  }
}

/** A link either appears whole or not at all, and only one process can make it. */
async function linkExclusively(folder: string, record: OwnerRecord): Promise<boolean> {
  const temporary = path.join(folder, `new.${randomBytes(8).toString('hex')}`);
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(temporary, path.join(folder, `epoch.${record.epoch}`));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      return false;
    }
    throw new StorageError(`DevSquad cannot register as owner: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function forgetOldEpochs(folder: string, epoch: number): Promise<void> {
  for (const old of await linkedEpochs(folder)) {
    if (old < epoch - 1) {
      await rm(path.join(folder, `epoch.${old}`), { force: true });
    }
  }
}

async function linkedEpochs(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names
    .flatMap((name) => {
      const match = EPOCH_LINK.exec(name);
      return match ? [Number(match[1])] : [];
    })
    .sort((a, b) => a - b);
}

async function readOwner(folder: string, epoch: number): Promise<OwnerRecord> {
  const file = path.join(folder, `epoch.${epoch}`);
  try {
    return ownerRecordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new StorageError(`${file} cannot be read, so DevSquad cannot tell who owns this squad: ${messageOf(cause)}`, {
      cause,
    });
  }
}
