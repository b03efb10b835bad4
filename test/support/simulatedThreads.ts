/** The ledger's threads without threads: their messages wait in queues and are moved one at a time, in an order of chance. */
import type { Files } from '../../src/ledger/files.ts';
import { GroupCommit } from '../../src/ledger/groupCommit.ts';
import { ImageKeeper } from '../../src/ledger/imageKeeper.ts';
import type { LedgerThreads } from '../../src/ledger/threads.ts';
import type { SeededRandom } from './seededRandom.ts';

export class SimulatedThreads {
  private readonly files: Files;
  private readonly random: SeededRandom;
  private queues: (() => void)[][] = [];

  constructor(files: Files, random: SeededRandom) {
    this.files = files;
    this.random = random;
  }

  readonly threads: LedgerThreads = {
    journal: (start, listener) => {
      const [toThread, soon, fromThread] = [this.queue(), this.queue(), this.queue()];
      let commit: GroupCommit | undefined;
      const ended = Promise.withResolvers<undefined>();
      toThread.push(() => {
        commit = new GroupCommit({
          files: this.files,
          start,
          soon: (work) => soon.push(work),
          reply: (reply) => {
            fromThread.push(() => {
              listener.onReply(reply);
            });
          },
        });
      });
      return {
        post: (request) => {
          toThread.push(() => {
            commit?.handle(request);
            if (request.type === 'close') {
              fromThread.push(() => {
                listener.onEnd('its thread ended');
                ended.resolve(undefined);
              });
            }
          });
        },
        flush: () => undefined,
        ended: ended.promise,
        stop: () => Promise.resolve(),
      };
    },
    images: (start, listener) => {
      const [toThread, fromThread] = [this.queue(), this.queue()];
      const keeper = new ImageKeeper(this.files, start);
      return {
        post: (request) => {
          toThread.push(() => {
            void keeper.handle(request).then((reply) => {
              fromThread.push(() => {
                listener.onReply(reply);
              });
            });
          });
        },
        ended: Promise.resolve(),
        stop: () => Promise.resolve(),
      };
    },
  };

  /** Moves messages until the promise settles; answers how it did. Throws when nothing moves and it is still open. */
  async until<Result>(
    promise: Promise<Result>,
    isStopped: () => boolean,
  ): Promise<{ value: Result } | { error: unknown } | 'stopped'> {
    const outcome: { settled?: { value: Result } | { error: unknown } } = {};
    void promise.then(
      (value) => (outcome.settled = { value }),
      (error: unknown) => (outcome.settled = { error }),
    );
    for (let idle = 0; !outcome.settled && idle < 10;) {
      idle = this.step() ? 0 : idle + 1;
      await new Promise((resolve) => setImmediate(resolve));
      if (isStopped()) {
        break;
      }
    }
    if (!outcome.settled && !isStopped()) {
      throw new Error('Nothing moves any more, and the ledger does not answer.');
    }
    return outcome.settled ?? 'stopped';
  }

  /** Moves one message, if there is one. */
  step(): boolean {
    const filled = this.queues.filter(({ length }) => length > 0);
    const next = this.random.pick(filled)?.shift();
    next?.();
    return next !== undefined;
  }

  /** The process is gone, and its messages with it. */
  clear(): void {
    this.queues = [];
  }

  private queue(): (() => void)[] {
    const queue: (() => void)[] = [];
    this.queues.push(queue);
    return queue;
  }
}
