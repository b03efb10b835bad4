/**
 * The socket by which an owner answers other processes of the same user: one JSON line asks, one answers. A name of 16
 * hex digits in a folder that only the user can enter; under 90 bytes, because longer ones fail or are cut silently.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { messageOf, StorageError } from '../domain/errors.ts';

const LONGEST_ADDRESS = 90;
const SOCKET_NAME = /^[0-9a-f]{16}$/;
const LONGEST_LINE = 1024 * 1024;

export interface OwnerSocket {
  readonly address: string;
  close(): Promise<void>;
}

/** Answers every line with what `answer` resolves to; a rejection becomes `{"type":"error","message":…}`. */
export async function listen(
  runtimeFolders: readonly string[],
  answer: (request: unknown) => Promise<unknown>,
): Promise<OwnerSocket> {
  const address = newAddress(runtimeFolders);
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    onLines(socket, (line) => {
      void answerLine(line, answer).then((reply) => {
        if (socket.writable) {
          socket.write(`${JSON.stringify(reply)}\n`);
        }
      });
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

async function answerLine(line: string, answer: (request: unknown) => Promise<unknown>): Promise<unknown> {
  try {
    return await answer(JSON.parse(line));
  } catch (error) {
    return { type: 'error', message: messageOf(error) };
  }
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
 * Asks an owner. `gone`: nobody listens there any more. `cut`: the connection was taken and closed without a word, as an
 * owner does that is going, or one that has too many files open. `silent`: it was taken, and nothing was said within
 * `timeoutMs`. Never rejects but with the signal's reason.
 */
export async function ask(
  address: string,
  request: unknown,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<OwnerReply> {
  signal.throwIfAborted();
  return new Promise<OwnerReply>((resolve, reject) => {
    const socket = connect(address);
    const finish = (outcome: OwnerReply | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      if (outcome) {
        resolve(outcome);
      } else {
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      }
    };
    const onAbort = (): void => {
      finish(undefined);
    };
    const timer = setTimeout(() => {
      finish({ kind: 'silent' });
    }, timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      finish({ kind: error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : 'cut' });
    });
    socket.once('close', () => {
      finish({ kind: 'cut' });
    });
    onLines(socket, (line) => {
      try {
        finish({ kind: 'answered', reply: JSON.parse(line) });
      } catch {
        finish({ kind: 'silent' });
      }
    });
  });
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

function onLines(socket: Socket, onLine: (line: string) => void): void {
  let buffered = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    buffered += chunk;
    if (buffered.length > LONGEST_LINE) {
      socket.destroy();
      return;
    }
    for (let end = buffered.indexOf('\n'); end >= 0; end = buffered.indexOf('\n')) {
      const line = buffered.slice(0, end);
      buffered = buffered.slice(end + 1);
      onLine(line);
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
