/** A process of its own that swaps a folder for a link to the outside and back, as fast as it can, until it is ended or alone. */
import { existsSync, lstatSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const [root = '', outside = ''] = process.argv.slice(2);
const at = (name: string): string => join(root, name);

const { ppid } = process;
symlinkSync(outside, at('evil'));
process.send?.('ready');
// Whoever started it may be killed and end nothing.
while (process.ppid === ppid) {
  try {
    renameSync(at('folder'), at('good'));
    renameSync(at('evil'), at('folder'));
    renameSync(at('folder'), at('evil'));
    renameSync(at('good'), at('folder'));
  } catch {
    mend();
  }
}

/** The other side makes a folder where one is missing for a moment; without this, nothing could be swapped from then on. */
function mend(): void {
  if (lstatSync(at('folder'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    rmSync(at('folder'));
  }
  if (!lstatSync(at('evil'), { throwIfNoEntry: false })) {
    symlinkSync(outside, at('evil'));
  }
  if (existsSync(at('good'))) {
    rmSync(at('folder'), { recursive: true, force: true });
    renameSync(at('good'), at('folder'));
  }
}
