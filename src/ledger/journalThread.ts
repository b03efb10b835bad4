/** The thread that writes the journal: `GroupCommit` on the real file system. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemFiles } from './files.ts';
import { GroupCommit } from './groupCommit.ts';
import { JournalPort, type JournalThreadData } from './journalLane.ts';

if (!parentPort) {
  throw new Error('journalThread runs as a worker thread only');
}
// The starter and this thread are the same build, so the shape is known.
const { start, memory } = workerData as JournalThreadData;
const port = new JournalPort(parentPort, memory);
let due: (() => void) | undefined;
const commit = new GroupCommit({
  files: systemFiles,
  start,
  reply: (reply) => {
    port.reply(reply);
  },
  soon: (work) => {
    due = work;
  },
});

// Blocked while nothing is to be done, this thread has no event loop: what it hears it takes from its port.
for (let isOpen = true; isOpen;) {
  for (const request of port.arrived()) {
    commit.handle(request);
    isOpen &&= request.type !== 'close';
  }
  due?.();
  due = undefined;
}
parentPort.close();
