/** How the ledger starts its threads: workers in earnest, and in a test whatever moves their messages. */
import { Worker } from 'node:worker_threads';
import { siblingModule } from '../base/siblingModule.ts';
import { messageOf } from '../domain/errors.ts';
import type { JournalReply, JournalRequest, JournalStart } from './groupCommit.ts';
import type { ImageReply, ImageRequest, ImageStart } from './imageKeeper.ts';

/** A turn that posts more than this keeps its thread waiting no longer. */
const LARGEST_LOT = 32;

export interface Thread<Request> {
  post(request: Request): void;
  /** Resolves when the thread has ended, also when it had before. */
  readonly ended: Promise<void>;
  /** Ends the thread in the middle of whatever it does. */
  stop(): Promise<void>;
}

export interface ThreadListener<Reply> {
  onReply(reply: Reply): void;
  /** Called once, with the reason, however the thread ends. */
  onEnd(reason: string): void;
}

export interface LedgerThreads {
  journal(start: JournalStart, listener: ThreadListener<JournalReply>): Thread<JournalRequest>;
  images(start: ImageStart, listener: ThreadListener<ImageReply>): Thread<ImageRequest>;
}

export const workerThreads: LedgerThreads = {
  journal: (start, listener) => startWorker('journalThread', start, listener, joinAppends),
  images: (start, listener) => startWorker('imageThread', start, listener),
};

/** What goes over to a thread, and the buffers in it that go over without a copy and are gone here. */
interface Lot<Request> {
  readonly requests: readonly Request[];
  readonly transfer: readonly ArrayBuffer[];
}

function startWorker<Request, Reply>(
  name: string,
  start: unknown,
  listener: ThreadListener<Reply>,
  pack = (requests: readonly Request[]): Lot<Request> => ({ requests, transfer: [] }),
): Thread<Request> {
  const worker = new Worker(siblingModule(import.meta.url, name), { workerData: start, name });
  let over = false;
  const end = (reason: string): void => {
    if (!over) {
      over = true;
      listener.onEnd(reason);
    }
  };
  worker.on('message', (reply: Reply) => {
    listener.onReply(reply);
  });
  worker.on('error', (error) => {
    end(messageOf(error));
  });
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      end('its thread ended');
      resolve();
    });
  });
  return {
    post: inLots((requests) => {
      const lot = pack(requests);
      worker.postMessage(lot.requests, lot.transfer);
    }),
    ended,
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** Waking a thread costs more than a request: what one turn posts goes over together, in order, when the turn ends. */
function inLots<Request>(send: (requests: readonly Request[]) => void): (request: Request) => void {
  let waiting: Request[] = [];
  const sendAll = (): void => {
    if (waiting.length > 0) {
      const requests = waiting;
      waiting = [];
      send(requests);
    }
  };
  return (request) => {
    waiting.push(request);
    if (waiting.length === 1) {
      // After all that this turn leads to, and after everybody whose wait the last commit has ended.
      setImmediate(sendAll);
    } else if (waiting.length === LARGEST_LOT) {
      sendAll();
    }
  };
}

type Append = Extract<JournalRequest, { type: 'append' }>;

/** Appends that follow each other become one, in a buffer of its own that can be handed over without a copy. */
function joinAppends(requests: readonly JournalRequest[]): Lot<JournalRequest> {
  const joined: JournalRequest[] = [];
  let appends: Append[] = [];
  const endAppends = (): void => {
    const last = appends.at(-1);
    if (last) {
      const blobs = appends.flatMap((append) => append.blobs);
      joined.push({ ...last, bytes: inOwnBuffer(appends.map(({ bytes }) => bytes)), blobs });
      appends = [];
    }
  };
  for (const request of requests) {
    if (request.type === 'append') {
      appends.push(request);
    } else {
      endAppends();
      joined.push(request);
    }
  }
  endAppends();
  const transfer = joined.flatMap((request) => (request.type === 'append' ? request.bytes.buffer : []));
  return { requests: joined, transfer };
}

function inOwnBuffer(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
