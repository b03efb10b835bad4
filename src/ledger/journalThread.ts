/**
 * The thread that writes one journal file. It writes what has arrived, syncs once for all of it, makes sure that no
 * later owner has taken the squad, and only then acknowledges. After the first failure it acknowledges nothing more.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { JournalThreadData, JournalThreadReply, JournalThreadRequest } from './journalFile.ts';

if (!parentPort) {
  throw new Error('journalThread runs as a worker thread only');
}
const port = parentPort;
// The starter and this thread are the same build, so the shape is known.
const { file, laterOwner } = workerData as JournalThreadData;

const pending: Uint8Array[] = [];
let lastSequence = 0;
let scheduled = false;
let failed = false;
// 'ax': a journal file is never opened twice, so nothing that is on disk can be overwritten.
const descriptor = openSync(file, 'ax', 0o600);

port.on('message', (request: JournalThreadRequest) => {
  if (request.type === 'close') {
    flush();
    closeSync(descriptor);
    port.close();
    return;
  }
  pending.push(request.bytes);
  lastSequence = request.lastSequence;
  if (!scheduled) {
    scheduled = true;
    setImmediate(flush);
  }
});

function flush(): void {
  scheduled = false;
  if (pending.length === 0 || failed) {
    return;
  }
  const sequence = lastSequence;
  try {
    const [first] = pending;
    writeWhole(pending.length === 1 && first ? first : Buffer.concat(pending));
    pending.length = 0;
    fdatasyncSync(descriptor);
    if (existsSync(laterOwner)) {
      throw new Error('another process has taken over this squad');
    }
    reply({ type: 'durable', sequence });
  } catch (error) {
    failed = true;
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

/** A full disk makes `write` return short without an error; the next call then says why. */
function writeWhole(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written, bytes.length - written);
  }
}

function reply(message: JournalThreadReply): void {
  port.postMessage(message);
}
