/**
 * Simulated time: everything that waits, waits in one queue, and chance decides among what is due at once. Between two
 * steps all that can run without waiting has run, so a seed leads to the same story on every machine.
 */
import type { Clock } from '../../../src/ports.ts';
import type { SeededRandom } from '../seededRandom.ts';

/** What a crash ends: whatever an ended life still waits for never comes. */
export class Life {
  over = false;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly life: Life;
  readonly fire: () => void;
}

export class SimulatedTime {
  now = Date.parse('2026-01-01T00:00:00.000Z');
  private readonly random: SeededRandom;
  private readonly queue: Due[] = [];
  private ids = 0;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** Fires once after `ms`, unless its life is over by then. Answers how to call it off. */
  schedule(ms: number, life: Life, fire: () => void): () => void {
    const due: Due = { at: this.now + Math.max(0, ms), order: this.random.next(), life, fire };
    const later = this.queue.findIndex(({ at, order }) => at > due.at || (at === due.at && order > due.order));
    this.queue.splice(later < 0 ? this.queue.length : later, 0, due);
    return () => {
      const index = this.queue.indexOf(due);
      if (index >= 0) {
        this.queue.splice(index, 1);
      }
    };
  }

  /** Resolves after a random while of at most `mostMs`; never when the life is over by then. */
  pass(mostMs: number, life: Life): Promise<void> {
    return life.over
      ? new Promise<never>(() => undefined)
      : new Promise((resolve) => this.schedule(this.random.next() * mostMs, life, resolve));
  }

  /** Lets the next thing happen and everything that follows at once; false when nothing is waited for. */
  async step(): Promise<boolean> {
    await settled();
    for (let due = this.queue.shift(); due; due = this.queue.shift()) {
      if (!due.life.over) {
        this.now = Math.max(this.now, due.at);
        due.fire();
        await settled();
        return true;
      }
    }
    return false;
  }

  /** What a life still waits for. */
  waitingIn(life: Life): number {
    return this.queue.filter((due) => due.life === life).length;
  }

  clock(life: Life): Clock {
    return {
      now: () => this.now,
      random: () => this.random.next(),
      newId: () => (++this.ids).toString(16).padStart(10, '0'),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const cut = (): void => {
            callOff();
            reject(signal.reason as Error);
          };
          const callOff = this.schedule(ms, life, () => {
            signal.removeEventListener('abort', cut);
            resolve();
          });
          if (signal.aborted) {
            cut();
          } else {
            signal.addEventListener('abort', cut, { once: true });
          }
        }),
    };
  }
}

/** Until nothing can run without waiting: all promises that could settle have settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
