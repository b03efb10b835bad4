/** The thread that writes the journal: `GroupCommit` on the real file system. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { systemFiles } from './files.ts';
import { GroupCommit, type JournalRequest, type JournalStart } from './groupCommit.ts';

if (!parentPort) {
  throw new Error('journalThread runs as a worker thread only');
}
const port = parentPort;
let due: (() => void) | undefined;
const commit = new GroupCommit({
  files: systemFiles,
  // The starter and this thread are the same build, so the shape is known.
  start: workerData as JournalStart,
  reply: (reply) => {
    port.postMessage(reply);
  },
  soon: (work) => {
    due = work;
  },
});

port.on('message', (first: readonly JournalRequest[]) => {
  for (const request of [...first, ...arrived()]) {
    commit.handle(request);
    if (request.type === 'close') {
      port.close();
    }
  }
  due?.();
  due = undefined;
});

/** What else has come while the disk was written: one sync serves all of it. */
function* arrived(): Generator<JournalRequest> {
  // The starter posts lots of requests and nothing else.
  for (let lot = next(); lot; lot = next()) {
    yield* lot;
  }
}

function next(): readonly JournalRequest[] | undefined {
  return receiveMessageOnPort(port)?.message as readonly JournalRequest[] | undefined;
}
