/** The terminal program from its arguments to its exit code. */
import { fileURLToPath } from 'node:url';
import { visibleText } from '../base/visibleText.ts';
import { HumanError, messageOf, StoppedError, StorageError, UsageError } from '../domain/errors.ts';
import { parseCommandLine } from './commandLine.ts';
import { perform } from './verbs.ts';

/** `media` lies beside `src` and beside `dist`, and this file in a folder of the one or in the other itself. */
const media = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../../media' : '../media', import.meta.url));

/** Standard output carries results (`--json`: events), standard error everything for people. Never rejects. */
export async function main(args: readonly string[]): Promise<number> {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major < 24) {
    process.stderr.write(`devsquad needs Node 24 and found ${process.version}. Run it as "npm run devsquad -- …".\n`);
    return 2;
  }
  const signal = readersGone();
  try {
    return await perform(parseCommandLine(args), media, signal);
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      return 0;
    }
    const message =
      error instanceof HumanError ? error.message : `Something unforeseen went wrong: ${messageOf(error)}`;
    process.stderr.write(`${visibleText(message)}\n`);
    return error instanceof UsageError ? 2 : error instanceof StorageError ? 5 : 1;
  }
}

/** Aborted when nobody reads any more what this program prints, as `head` does not when it has seen enough. */
function readersGone(): AbortSignal {
  const gone = new AbortController();
  for (const stream of [process.stdout, process.stderr]) {
    // Listened to for as long as the program lives: without a listener the next write would end it with a stack.
    stream.on('error', (error) => {
      gone.abort(new StoppedError('Nobody reads any more what is printed.', { cause: error }));
    });
  }
  return gone.signal;
}
