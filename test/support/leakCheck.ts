/** What a part of the system may not leave behind: processes, timers, sockets, threads, locks. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Handles that somebody must close; files are read and written in the background and come and go. */
const HELD = /Timeout|Immediate|Process|Server|Socket|Pipe|MessagePort|Worker/;
/** What ends in the background may take a moment of real time. */
const PATIENCE_MS = 20_000;

/** Remembers what is there now, called in the test itself; the answer fails when more is there, or when the folder holds a lock or a socket. */
export async function watchForLeaks(): Promise<(folder: string) => Promise<void>> {
  // The test runner sets its own timer once the test has begun to wait.
  await pause();
  const before = countHandles();
  return async (folder) => {
    const late = AbortSignal.timeout(PATIENCE_MS);
    let left = leftSince(before);
    while (left.length > 0 && !late.aborted) {
      await pause();
      left = leftSince(before);
    }
    assert.deepEqual(left, [], 'handles that nobody closed');
    assert.deepEqual(children(), [], 'processes that nobody ended');
    assert.deepEqual(locksIn(folder), [], 'locks and sockets that nobody removed');
  };
}

/** By a timer that is not counted itself. */
const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 20).unref();
  });

function leftSince(before: ReadonlyMap<string, number>): string[] {
  return [...countHandles()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}

function countHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo().filter((each) => HELD.test(each))) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Processes that this one has started and that still live; nothing where the system does not tell. */
function children(): string[] {
  const tasks = `/proc/${process.pid}/task`;
  const ids = existsSync(tasks) ? readdirSync(tasks) : [];
  return ids.flatMap((id) => {
    try {
      return readFileSync(`${tasks}/${id}/children`, 'utf8').split(' ').filter(Boolean);
    } catch {
      return [];
    }
  });
}

function locksIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.lock') || lstatSync(path.join(folder, name)).isSocket(),
  );
}
