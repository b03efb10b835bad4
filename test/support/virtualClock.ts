/** Time that stands still until a test moves it. */
import type { Clock } from '../../src/ports.ts';

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/** Ids of clocks side by side differ, in other processes too: a squad ends whatever process bears the id of its run. */
let ids = 0;

export class VirtualClock implements Clock {
  private time: number;
  private readonly sleepers = new Set<Sleeper>();

  constructor(start = '2026-01-01T00:00:00.000Z') {
    this.time = Date.parse(start);
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 0.5;
  }

  newId(): string {
    return `${process.pid.toString(16)}x${(++ids).toString(16).padStart(4, '0')}`;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.sleepers.delete(sleeper);
        signal.removeEventListener('abort', cut);
      };
      const cut = (): void => {
        end();
        reject(signal.reason as Error);
      };
      const sleeper: Sleeper = {
        wakesAt: this.time + ms,
        wake: () => {
          end();
          resolve();
        },
      };
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      this.sleepers.add(sleeper);
      signal.addEventListener('abort', cut);
    });
  }

  /** Wakes whoever's time has come. */
  advance(ms: number): void {
    this.time += ms;
    for (const sleeper of [...this.sleepers].filter(({ wakesAt }) => wakesAt <= this.time)) {
      sleeper.wake();
    }
  }
}
