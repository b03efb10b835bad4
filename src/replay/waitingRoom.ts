/**
 * Whatever a replayed squad waits for, waits here: the disk, a model, files, time. The replay lets one go on at a time, in
 * the order that the record shows, so every look at the state sees what it saw then.
 */
import type { Strand } from './recording.ts';

/** `world`: its answer is in the record, at its place. `disk`: it leaves no mark there. Time: milliseconds since 1970. */
export type WaitsFor = 'world' | 'disk' | { readonly time: number };

interface Waiting {
  readonly waitsFor: WaitsFor;
  readonly strand: Strand | undefined;
  readonly letGo: () => void;
}

export class WaitingRoom {
  private waiting: Waiting[] = [];

  /** Resolves when the replay lets it go on; rejects with the signal's reason when that comes first. */
  wait(waitsFor: WaitsFor, strand?: Strand, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cut = (): void => {
        this.waiting = this.waiting.filter((other) => other !== entry);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const entry: Waiting = {
        waitsFor,
        strand,
        letGo: () => {
          signal?.removeEventListener('abort', cut);
          resolve();
        },
      };
      if (signal?.aborted) {
        cut();
        return;
      }
      signal?.addEventListener('abort', cut, { once: true });
      this.waiting.push(entry);
    });
  }

  /**
   * Lets one go on: the oldest of the strand, else the oldest that belongs to none, else whoever's time has come, else
   * the oldest that waits for the disk. False when there is nobody.
   */
  letOneGo(strand: Strand | undefined, now: number): boolean {
    const oldest = (test: (entry: Waiting) => boolean): Waiting | undefined => this.waiting.find(test);
    const chosen =
      oldest((entry) => typeof entry.waitsFor === 'string' && entry.strand === strand) ??
      oldest((entry) => entry.waitsFor === 'disk' && entry.strand === undefined) ??
      this.nextInTime(now) ??
      oldest((entry) => entry.waitsFor === 'disk');
    if (!chosen) {
      return false;
    }
    this.waiting = this.waiting.filter((entry) => entry !== chosen);
    chosen.letGo();
    return true;
  }

  /** Lets the oldest go on that waits for the disk, of all or of one strand; false when there is nobody. */
  letWriterGo(...only: [strand?: Strand | undefined]): boolean {
    const isMeant = ({ strand }: Waiting): boolean => only.length === 0 || strand === only[0];
    const writer = this.waiting.find((entry) => entry.waitsFor === 'disk' && isMeant(entry));
    this.waiting = this.waiting.filter((entry) => entry !== writer);
    writer?.letGo();
    return writer !== undefined;
  }

  private nextInTime(now: number): Waiting | undefined {
    const timeOf = ({ waitsFor }: Waiting): number => (typeof waitsFor === 'string' ? Infinity : waitsFor.time);
    return this.waiting.filter((entry) => timeOf(entry) <= now).sort((a, b) => timeOf(a) - timeOf(b))[0];
  }
}
