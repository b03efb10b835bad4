/** The thread that writes the journal: `GroupCommit` on the real file system. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemFiles } from './files.ts';
import { GroupCommit, type JournalRequest, type JournalStart } from './groupCommit.ts';

if (!parentPort) {
  throw new Error('journalThread runs as a worker thread only');
}
const port = parentPort;
const commit = new GroupCommit({
  files: systemFiles,
  // The starter and this thread are the same build, so the shape is known.
  start: workerData as JournalStart,
  reply: (reply) => {
    port.postMessage(reply);
  },
  soon: setImmediate,
});

port.on('message', (request: JournalRequest) => {
  commit.handle(request);
  if (request.type === 'close') {
    port.close();
  }
});
