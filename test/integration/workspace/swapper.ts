/** A process of its own that swaps a folder and a file for links to the outside and back, as fast as it can. */
import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const [root = '', outside = ''] = process.argv.slice(2);
const at = (name: string): string => join(root, name);

symlinkSync(outside, at('evil'));
process.send?.('ready');
for (;;) {
  try {
    renameSync(at('folder'), at('good'));
    renameSync(at('evil'), at('folder'));
    renameSync(at('folder'), at('evil'));
    renameSync(at('good'), at('folder'));
  } catch {
    // The other side makes folders where one was missing for a moment; then the next round mends it.
  }
}
