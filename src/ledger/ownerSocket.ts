/**
 * The socket by which an owner is reached by other processes of the same user. A name of 16 hex digits in a folder that
 * only the user can enter; under 90 bytes, because longer ones fail or are cut silently.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { messageOf, StorageError } from '../domain/errors.ts';
import { LineSocket } from './lineSocket.ts';

const LONGEST_ADDRESS = 90;
const SOCKET_NAME = /^[0-9a-f]{16}$/;
/** What others ask an owner is short. */
const LONGEST_QUESTION = 1024 * 1024;
/** What an owner says to its own kind may be a whole slice of a large squad. */
const LONGEST_ANSWER = 256 * 1024 * 1024;

export interface OwnerSocket {
  readonly address: string;
  close(): Promise<void>;
}

/** Each value that comes over a connection goes to `take`, together with the line to answer on. */
export async function listen(
  runtimeFolders: readonly string[],
  take: (value: unknown, line: LineSocket) => void,
): Promise<OwnerSocket> {
  const address = newAddress(runtimeFolders);
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    const line: LineSocket = new LineSocket(socket, LONGEST_QUESTION, (value) => {
      take(value, line);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new StorageError(`DevSquad cannot listen for other windows: ${messageOf(cause)}`, { cause }));
    });
    server.listen(address, resolve);
  });
  return { address, close: () => closeServer(server, connections, address) };
}

async function closeServer(server: Server, connections: Set<Socket>, address: string): Promise<void> {
  const closed = new Promise<void>((resolve) =>
    server.close(() => {
      resolve();
    }),
  );
  for (const socket of connections) {
    socket.end();
    socket.unref();
  }
  setTimeout(() => {
    for (const socket of connections) {
      socket.destroy();
    }
  }, 200).unref();
  await closed;
  if (process.platform !== 'win32') {
    rmSync(address, { force: true });
  }
}

export type OwnerReply = { kind: 'gone' | 'cut' | 'silent' } | { kind: 'answered'; reply: unknown };

/**
 * Asks an owner one question. `gone`: nobody listens there any more. `cut`: the connection was taken and closed without a
 * word, as an owner does that is going, or one that has too many files open. `silent`: it was taken, and nothing was said
 * within `timeoutMs`. Never rejects but with the signal's reason.
 */
export async function ask(
  address: string,
  request: object,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<OwnerReply> {
  const { promise, resolve } = Promise.withResolvers<OwnerReply>();
  const opened = await openLine(address, timeoutMs, signal, (reply) => {
    resolve(reply === undefined ? { kind: 'silent' } : { kind: 'answered', reply });
  });
  if (opened.kind !== 'open') {
    return opened;
  }
  const { line } = opened;
  line.onClose(() => {
    resolve({ kind: 'cut' });
  });
  line.send(request);
  const over = new AbortController();
  const patience = pause(timeoutMs, AbortSignal.any([signal, over.signal])).then(
    (): OwnerReply => ({ kind: 'silent' }),
    (): OwnerReply => ({ kind: 'cut' }),
  );
  const reply = await Promise.race([promise, patience]);
  over.abort();
  line.close();
  signal.throwIfAborted();
  return reply;
}

export type OpenedLine = { kind: 'open'; line: LineSocket } | { kind: 'gone' | 'cut' | 'silent' };

/** Opens a line to an owner; `take` gets what it says. Never rejects but with the signal's reason. */
export async function openLine(
  address: string,
  timeoutMs: number,
  signal: AbortSignal,
  take: (value: unknown) => void,
): Promise<OpenedLine> {
  signal.throwIfAborted();
  const socket = connect(address);
  const line = new LineSocket(socket, LONGEST_ANSWER, take);
  const connected = new Promise<OpenedLine>((resolve) => {
    socket.once('connect', () => {
      resolve({ kind: 'open', line });
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve({ kind: code === 'ECONNREFUSED' || code === 'ENOENT' ? 'gone' : 'cut' });
    });
  });
  const over = new AbortController();
  const patience = pause(timeoutMs, AbortSignal.any([signal, over.signal])).then(
    (): OpenedLine => ({ kind: 'silent' }),
    (): OpenedLine => ({ kind: 'cut' }),
  );
  const opened = await Promise.race([connected, patience]);
  over.abort();
  if (opened.kind !== 'open' || signal.aborted) {
    line.close();
  }
  signal.throwIfAborted();
  return opened;
}

/** Rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      if (signal.aborted) {
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      } else {
        resolve();
      }
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener('abort', finish);
    if (signal.aborted) {
      finish();
    }
  });
}

/** Removes the socket file of an owner that is gone. What has another name than our sockets have is left alone. */
export function removeSocket(address: string): void {
  if (process.platform !== 'win32' && SOCKET_NAME.test(path.basename(address))) {
    rmSync(address, { force: true });
  }
}

function newAddress(runtimeFolders: readonly string[]): string {
  const name = randomBytes(8).toString('hex');
  if (process.platform === 'win32') {
    return `\\\\.\\pipe\\devsquad-${name}`;
  }
  const folder = runtimeFolders.find((candidate) => Buffer.byteLength(path.join(candidate, name)) < LONGEST_ADDRESS);
  if (folder === undefined) {
    throw new StorageError('No folder for the socket has a short enough path; set XDG_RUNTIME_DIR to one.');
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new StorageError(`${folder} belongs to somebody else; DevSquad does not put its socket there.`);
  }
  chmodSync(folder, 0o700);
  return path.join(folder, name);
}
