/**
 * What may be done to a path that a model named. Judges names and opens nothing: whoever opens the file judges the place
 * that it really leads to once more, with the same rules.
 */
import { changesWhatRuns, foldName, isSecret, whyProtected } from './protectedFiles.ts';
import { asSeen, hasInvisible } from './textHygiene.ts';
import { allow, askProtected, deny, strictest, type Verdict } from './verdict.ts';

export type PathOperation = 'read' | 'write' | 'delete' | 'list';

const LONGEST_PATH = 4096;

/** `path` as it was given; `root` is the absolute folder that it must stay in, with '/' between names. */
export function judgePath(op: PathOperation, path: string, root: string): Verdict {
  const parts = partsInside(path, root);
  return typeof parts === 'string' ? deny(parts) : judgeParts(op, parts, path);
}

/** The same for a file that gets this content; `before` is what it has now, undefined where it is not there. */
export function judgeWrite(path: string, content: string, before: string | undefined, root: string): Verdict {
  const parts = partsInside(path, root);
  if (typeof parts === 'string') {
    return deny(parts);
  }
  return isPackageFile(parts) && !changesWhatRuns(before, content)
    ? allow('It changes nothing that runs.')
    : judgeParts('write', parts, path);
}

/** Names from the root, or why the path leads nowhere in it. */
export function partsInside(path: string, root: string): string[] | string {
  if (path.length > LONGEST_PATH) {
    return 'The path is longer than any file’s.';
  }
  if (path === '' || path.includes('\0')) {
    return 'The path is empty or holds a NUL character.';
  }
  // What a file system or a reader of another kind would take for a way out is one.
  const seen = asSeen(path).replaceAll('\\', '/');
  if (/^(?:[a-z]:|[a-z][a-z\d+.-]+:\/\/|~|\$|%)/i.test(seen) || seen.startsWith('//')) {
    return 'It leads outside the workspace.';
  }
  const plain = path.replaceAll('\\', '/');
  const relative = plain === root || plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : plain;
  if (relative.startsWith('/') || asSeen(relative).startsWith('/')) {
    return 'It leads outside the workspace.';
  }
  const parts: string[] = [];
  for (const part of relative.split('/')) {
    const folded = asSeen(part).trim();
    if (folded === '..' || /^\.\.[. ]*$/.test(folded)) {
      if (parts.pop() === undefined) {
        return 'It leads outside the workspace.';
      }
    } else if (part !== '' && part !== '.') {
      parts.push(part);
    }
  }
  return parts;
}

function judgeParts(op: PathOperation, parts: readonly string[], path: string): Verdict {
  const name = parts.join('/');
  const changes = op === 'write' || op === 'delete';
  const why = changes ? whyProtected(parts) : whyHidden(parts);
  return strictest(
    allow('It is an ordinary file of the workspace.'),
    ...(isSecret(parts) ? [askProtected(`${name} may hold secrets.`)] : []),
    ...(why === undefined ? [] : [askProtected(`${name} is ${why}.`)]),
    ...(changes && isPackageFile(parts) ? [askProtected(`${name} says which programs run.`)] : []),
    ...(hasInvisible(path) ? [askProtected('Its name has characters that nobody sees.')] : []),
  );
}

/** DevSquad's own files are not even read. */
function whyHidden(parts: readonly string[]): string | undefined {
  return parts.some((part) => foldName(part) === '.devsquad') ? 'DevSquad’s own' : undefined;
}

function isPackageFile(parts: readonly string[]): boolean {
  return foldName(parts.at(-1) ?? '') === 'package.json';
}
