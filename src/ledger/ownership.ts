/**
 * Who owns a workspace's squad. Each owner is an epoch: a file that only one process can make, by an exclusive link. The
 * owner listens on a socket before it links, so whoever finds the link can ask whether the owner still lives.
 *
 *   nobody → linked (epoch n) → released or dead → linked by another (epoch n + 1)
 *                             ↘ silent, and a person takes over ↗
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { messageOf, StorageError } from '../domain/errors.ts';
import { ownerRequestSchema, type OwnerRecord } from '../domain/owner.ts';
import type { LineSocket } from './lineSocket.ts';
import { epochLink, forgetEarlier, linkExclusively, registeredOwner } from './ownerRecords.ts';
import { ask, listen, openLine, pause, removeSocket, type OwnerSocket } from './ownerSocket.ts';
import type { SquadHome } from './squadHome.ts';

/** How long an owner that took the connection may be silent before a person may take over. */
const HELLO_TIMEOUT_MS = 10_000;
/** Before an owner that cut the connection is asked again. */
const CUT_PAUSE_MS = 50;

/** `gone`: nobody listens any more. `silent`: somebody took the connection and did not say hello in time. */
export type OwnerStatus = 'alive' | 'silent' | 'gone';

/** Asks the owner for a sign of life. */
export async function probeOwner(
  owner: OwnerRecord,
  signal: AbortSignal,
  timeoutMs = HELLO_TIMEOUT_MS,
): Promise<OwnerStatus> {
  // Counted, so that no clock decides.
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += CUT_PAUSE_MS) {
    const { kind } = await ask(owner.address, { type: 'hello' }, timeoutMs, signal);
    if (kind !== 'cut') {
      return kind === 'answered' ? 'alive' : kind;
    }
    await pause(CUT_PAUSE_MS, signal);
  }
  return 'silent';
}

/** Asks the owner with its token; undefined when it is gone or silent. */
export async function askOwner(owner: OwnerRecord, request: object, signal: AbortSignal): Promise<unknown> {
  const answer = await ask(owner.address, { ...request, token: owner.token }, HELLO_TIMEOUT_MS, signal);
  return answer.kind === 'answered' ? answer.reply : undefined;
}

/** A line to an owner that listens; undefined where none does, or it takes no connection in time. */
export async function lineTo(owner: OwnerRecord, signal: AbortSignal): Promise<LineSocket | undefined> {
  const opened = await openLine(owner.address, HELLO_TIMEOUT_MS, signal, () => undefined);
  return opened.kind === 'open' ? opened.line : undefined;
}

export interface Ownership {
  readonly epoch: number;
  readonly token: string;
  /** Path of the link that the next owner would make. */
  readonly laterOwner: string;
  release(): Promise<void>;
}

/** The squad is ours now, or it is still somebody's. */
export type Claim =
  | { readonly kind: 'owned'; readonly ownership: Ownership }
  | { readonly kind: 'alive' | 'silent'; readonly owner: OwnerRecord };

export interface ClaimOptions {
  readonly folder: string;
  readonly home: SquadHome;
  readonly storage: string;
  readonly host: OwnerRecord['host'];
  /** This process. */
  readonly process: Pick<OwnerRecord, 'pid' | 'startMark'>;
  readonly isRunning: (process: Pick<OwnerRecord, 'pid' | 'startMark'>) => Promise<boolean>;
  /** Epoch of a silent owner that a person takes over from; it is asked no more. */
  readonly takeOverFrom?: number | undefined;
  readonly helloTimeoutMs?: number;
  /** Answers a single question; `hello` is answered here already. `trusted` tells that the token was shown. */
  readonly answer: (request: unknown, trusted: boolean) => Promise<object>;
  /** Takes over a line whose other end has shown the token and asked to `attach`. */
  readonly attach: (request: unknown, line: LineSocket) => void;
}

/** Becomes the owner unless one lives or is silent. Rejects with a StorageError where it cannot register. */
export async function claimOwnership(options: ClaimOptions, signal: AbortSignal): Promise<Claim> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new StorageError(`DevSquad's folder ${options.folder} cannot be made: ${messageOf(cause)}`, { cause });
  });
  for (;;) {
    const last = await registeredOwner(options.folder);
    if (last && last.epoch !== options.takeOverFrom) {
      const status = await probeOwner(last, signal, options.helloTimeoutMs);
      if (status !== 'gone') {
        return { kind: status, owner: last };
      }
    }
    const ownership = await registerAfter(last, options);
    if (ownership) {
      return { kind: 'owned', ownership };
    }
  }
}

/** Undefined when another process was quicker. */
async function registerAfter(last: OwnerRecord | undefined, options: ClaimOptions): Promise<Ownership | undefined> {
  const { folder, host, storage } = options;
  const token = randomBytes(16).toString('hex');
  const socket = await listen(options.home.runtimeFolders, (value, line) => {
    void take(options, token, value, line);
  });
  const epoch = (last?.epoch ?? 0) + 1;
  const record: OwnerRecord = { epoch, ...options.process, host, address: socket.address, storage, token };
  if (!(await linkedOrClosed(folder, record, socket))) {
    return undefined;
  }
  if (last) {
    removeSocket(last.address);
  }
  await forgetEarlier(folder, epoch, options.isRunning);
  return { epoch, token, laterOwner: epochLink(folder, epoch + 1), release: () => socket.close() };
}

async function linkedOrClosed(folder: string, record: OwnerRecord, socket: OwnerSocket): Promise<boolean> {
  let linked = false;
  try {
    linked = await linkExclusively(folder, record);
    return linked;
  } finally {
    if (!linked) {
      await socket.close();
    }
  }
}

/** Never rejects, whatever comes in. */
async function take(options: ClaimOptions, token: string, value: unknown, line: LineSocket): Promise<void> {
  const request = ownerRequestSchema.safeParse(value);
  if (!request.success) {
    line.send({ type: 'error', message: 'This is no request to an owner of a squad.' });
    return;
  }
  const { type, token: shown } = request.data;
  const trusted = isSame(shown ?? '', token);
  if (type === 'hello') {
    line.send({ type: 'hello', pid: options.process.pid, host: options.host });
  } else if (type === 'attach' && trusted) {
    options.attach(value, line);
  } else {
    line.send(
      await options.answer(value, trusted).catch((error: unknown) => ({ type: 'error', message: messageOf(error) })),
    );
  }
}

/** Takes the same time whatever was shown. */
function isSame(shown: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(shown), digest(token));
}
