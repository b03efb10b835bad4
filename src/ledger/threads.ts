/** How the ledger starts its threads: workers in earnest, and in a test whatever moves their messages. */
import { Worker } from 'node:worker_threads';
import { siblingModule } from '../base/siblingModule.ts';
import { messageOf } from '../domain/errors.ts';
import type { JournalReply, JournalRequest, JournalStart } from './groupCommit.ts';
import { JournalLane, laneMemory, type Aside, type JournalThreadData } from './journalLane.ts';
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

/** What one turn posts to it goes over together when the turn ends. */
export interface JournalThread extends Thread<JournalRequest> {
  /** Hands over now what was posted. */
  flush(): void;
}

export interface ThreadListener<Reply> {
  onReply(reply: Reply): void;
  /** Called once, with the reason, however the thread ends. */
  onEnd(reason: string): void;
}

export interface LedgerThreads {
  journal(start: JournalStart, listener: ThreadListener<JournalReply>): JournalThread;
  images(start: ImageStart, listener: ThreadListener<ImageReply>): Thread<ImageRequest>;
}

export const workerThreads: LedgerThreads = {
  journal: (start, listener) => {
    const memory = laneMemory();
    const thread = startWorker<Aside, JournalReply>('journalThread', { start, memory } satisfies JournalThreadData, {
      onReply: (reply) => {
        lane.receive(reply);
      },
      onEnd: (reason) => {
        lane.look();
        listener.onEnd(reason);
      },
    });
    const lane = new JournalLane(
      memory,
      (aside) => {
        thread.post(aside);
      },
      (reply) => {
        listener.onReply(reply);
      },
    );
    const lots = inLots<JournalRequest>((requests) => {
      lane.send(requests);
    });
    return { ...thread, ...lots };
  },
  images: (start, listener) => startWorker('imageThread', start, listener),
};

function startWorker<Request, Reply>(
  name: string,
  workerData: unknown,
  listener: ThreadListener<Reply>,
): Thread<Request> {
  const worker = new Worker(siblingModule(import.meta.url, name), { workerData, name });
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
    post: (request) => {
      worker.postMessage(request);
    },
    ended,
    stop: async () => {
      await worker.terminate();
    },
  };
}

/** Waking a thread costs more than a request: what one turn posts goes over together, in order, when the turn ends. */
function inLots<Request>(send: (requests: readonly Request[]) => void): {
  post(request: Request): void;
  flush(): void;
} {
  let waiting: Request[] = [];
  const flush = (): void => {
    if (waiting.length > 0) {
      const requests = waiting;
      waiting = [];
      send(requests);
    }
  };
  const post = (request: Request): void => {
    waiting.push(request);
    if (waiting.length === 1) {
      // After all that this turn leads to.
      setImmediate(flush);
    } else if (waiting.length === LARGEST_LOT) {
      flush();
    }
  };
  return { post, flush };
}
