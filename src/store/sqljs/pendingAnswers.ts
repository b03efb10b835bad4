/** What was asked of the thread and is not answered yet. Every wait ends: by an answer, its signal, or the thread's end. */
import type { Row } from './tablesDatabase.ts';

interface Waiter {
  resolve(rows: readonly Row[]): void;
  reject(error: unknown): void;
}

export class PendingAnswers {
  private readonly waiters = new Map<number, Waiter>();
  private lastId = 0;

  /** Sends the question under a new id and waits for its answer; rejects with the signal's reason when it is aborted. */
  add(send: (id: number) => void, signal: AbortSignal): Promise<readonly Row[]> {
    if (signal.aborted) {
      return Promise.reject(signal.reason as Error);
    }
    const id = ++this.lastId;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>();
    const onAbort = (): void => {
      this.reject(id, signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const forget = (): void => {
      this.waiters.delete(id);
      signal.removeEventListener('abort', onAbort);
    };
    this.waiters.set(id, {
      resolve: (rows) => {
        forget();
        resolve(rows);
      },
      reject: (error) => {
        forget();
        reject(error);
      },
    });
    send(id);
    return promise;
  }

  resolve(id: number, rows: readonly Row[]): void {
    this.waiters.get(id)?.resolve(rows);
  }

  reject(id: number, error: unknown): void {
    this.waiters.get(id)?.reject(error);
  }

  /** Answers all with nothing. */
  resolveAll(): void {
    for (const waiter of [...this.waiters.values()]) {
      waiter.resolve([]);
    }
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.waiters.values()]) {
      waiter.reject(error);
    }
  }
}
