import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../src/ports.ts';

/** Real time, for tests of what waits on sockets. */
export const realClock: Pick<Clock, 'now' | 'sleep'> = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
};
