/** The thread that writes images: `ImageKeeper` on the real file system. */
import { parentPort, workerData } from 'node:worker_threads';
import { beLessUrgent } from '../base/politeThread.ts';
import { systemFiles } from './files.ts';
import { ImageKeeper, type ImageRequest, type ImageStart } from './imageKeeper.ts';

if (!parentPort) {
  throw new Error('imageThread runs as a worker thread only');
}
const port = parentPort;
beLessUrgent();
// The starter and this thread are the same build, so the shape is known.
const keeper = new ImageKeeper(systemFiles, workerData as ImageStart);

// One request at a time: the next one is made when this one was answered.
port.on('message', (request: ImageRequest) => {
  void keeper.handle(request).then((reply) => {
    port.postMessage(reply);
  });
});
