/** Where names in a worktree really lead, for rules that judge before anything is opened. Looks, and changes nothing. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { LONGEST_SHOWN } from '../domain/fileChange.ts';
import { isSecret } from '../guardrails/protectedFiles.ts';

/** More entries than this are not looked at: then nobody can tell. */
const MOST_ENTRIES = 5000;

/** The path from the root with every link followed, '' for the root; undefined where it leads outside, or in a circle. */
export function realPlace(root: string, named: string): string | undefined {
  const top = realpathSync(root);
  let existing = path.resolve(top, path.isAbsolute(named) ? path.relative(root, named) : named);
  let missing = '';
  for (;;) {
    try {
      const real = path.join(realpathSync(existing), missing);
      const below = path.relative(top, real);
      return below === '..' || below.startsWith(`..${path.sep}`) || path.isAbsolute(below) ? undefined : below;
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing || path.dirname(existing) === existing) {
        return undefined;
      }
      missing = path.join(path.basename(existing), missing);
      existing = path.dirname(existing);
    }
  }
}

/** The text of a regular file in the root, links followed; undefined where there is none that a person could be shown. */
export function textAt(root: string, named: string): string | undefined {
  const place = realPlace(root, named);
  try {
    if (place === undefined || statSync(path.join(root, place)).size > LONGEST_SHOWN) {
      return undefined;
    }
    return shownText(readFileSync(path.join(root, place)));
  } catch {
    return undefined;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a file's bytes, where a person could be shown it. */
export function shownText(bytes: Uint8Array): string | undefined {
  if (bytes.length > LONGEST_SHOWN || bytes.includes(0)) {
    return undefined;
  }
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether a file that holds secrets lies in the folder or below, links not followed; where it is too much to tell, it does. */
export function holdsSecrets(root: string, folder: string): boolean {
  let left = MOST_ENTRIES;
  const look = (names: readonly string[]): boolean => {
    for (const entry of readdirSync(path.join(root, ...names), { withFileTypes: true })) {
      const below = [...names, entry.name];
      if (--left < 0 || isSecret(below) || (entry.isDirectory() && entry.name !== '.git' && look(below))) {
        return true;
      }
    }
    return false;
  };
  try {
    return look(folder.split('/').filter((name) => name !== '' && name !== '.'));
  } catch {
    // A file, or nothing: whoever reads it is told so.
    return false;
  }
}
