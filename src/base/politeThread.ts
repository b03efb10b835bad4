/** For threads whose work may wait. */
import os from 'node:os';

/** Of 19; a tenth of what others get at the same time. */
const NICENESS = 10;

/**
 * The calling thread gives way to others where there is more to do than the processor can. On Linux only, where 0 means this
 * thread; elsewhere it means the whole process.
 */
export function beLessUrgent(): void {
  if (process.platform === 'linux') {
    try {
      os.setPriority(0, NICENESS);
    } catch {
      // A container may forbid it; the thread is then as urgent as all others.
    }
  }
}
