/** Puts what a folder holds into an index, and says in words what git could not take. */
import { GitError } from '../domain/errors.ts';
import type { Git, GitCall } from './git.ts';

export interface StagingScope {
  /** Folder inside the working tree to stage, '' or ending in '/'. */
  readonly prefix: string;
  /** Paths to leave out, from the root of the working tree. */
  readonly avoid?: readonly string[];
}

/** Something in the folder could not be staged; `line` is git's own first word about it. */
export class StagingError extends Error {
  override name = 'StagingError';
  readonly line: string;
  constructor(line: string, cause?: unknown) {
    super(`git could not take the folder: ${line}`, { cause });
    this.line = line;
  }
}

/** A broken working tree may hold many repositories without a commit; each costs one more try. */
const MOST_TRIES = 50;

/**
 * `git add -A`: new, changed and deleted files, without ignored ones. Nested repositories without a commit are left out;
 * those with one become gitlinks, and the new ones are returned. Rejects with a StagingError.
 */
export async function stageAll(git: Git, call: GitCall, scope: StagingScope, signal: AbortSignal): Promise<string[]> {
  const avoid = [...(scope.avoid ?? [])];
  for (let attempt = 0; attempt < MOST_TRIES; attempt++) {
    const answer = await git.run(
      ['add', '-A', '--', ...pathspecs(scope.prefix, avoid)],
      { ...call, exits: [0, 1, 128] },
      signal,
    );
    const unborn = /^error: '(.*)\/' does not have a commit checked out$/m.exec(answer.stderr)?.[1];
    if (answer.exitCode === 0) {
      const unreadable = /^warning: could not open directory .*$/m.exec(answer.stderr)?.[0];
      if (unreadable !== undefined) {
        throw new StagingError(unreadable);
      }
      return [...answer.stderr.matchAll(/^warning: adding embedded git repository: (.*)$/gm)].map(
        ([, path]) => path ?? '',
      );
    }
    if (unborn === undefined) {
      const line = /^(?:error|fatal): .*$/m.exec(answer.stderr)?.[0] ?? answer.stderr.trim();
      throw new StagingError(line, new GitError(['add'], answer.exitCode, answer.stderr));
    }
    avoid.push(unborn);
  }
  throw new StagingError(`more than ${MOST_TRIES} nested git repositories without a commit`);
}

/** Literal on purpose: a file named `:(glob)*` or `*` must mean itself. */
function pathspecs(prefix: string, avoid: readonly string[]): string[] {
  const included = prefix === '' ? ':/' : `:(top,literal)${prefix.slice(0, -1)}`;
  return [included, ...avoid.map((path) => `:(top,exclude,literal)${path}`)];
}
