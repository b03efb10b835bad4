/** A look at the developer's repository: where things are, never what to do with them. Changes nothing there. */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { GitError, HumanError } from '../domain/errors.ts';
import { isMissing } from './folders.ts';
import type { Git } from './git.ts';

export interface DeveloperRepository {
  /** Root of the working tree, and where the workspace is in it: '' or a path that ends in '/'. */
  readonly root: string;
  readonly prefix: string;
  readonly gitDir: string;
  readonly commonDir: string;
  readonly indexFile: string;
  readonly objectFormat: string;
  /** Undefined before the first commit. */
  readonly headCommit: string | undefined;
  /** The developer's object folder and all that it borrows from. */
  readonly objectFolders: readonly string[];
  /** Ignore rules that stand outside the working tree, the weakest first. */
  readonly excludes: string;
}

/** Undefined where the folder has no git, or where the repository around it ignores it. */
export async function findDeveloperRepository(
  git: Git,
  workspaceRoot: string,
  signal: AbortSignal,
): Promise<DeveloperRepository | undefined> {
  const places = await findPlaces(git, workspaceRoot, signal);
  if (!places) {
    return undefined;
  }
  const { root, prefix, objects, infoExclude } = places;
  if (prefix !== '' && (await isIgnored(git, root, prefix, signal))) {
    return undefined;
  }
  return {
    ...places,
    headCommit: await findHead(git, workspaceRoot, signal),
    objectFolders: await followAlternates(objects),
    excludes: await readExcludes(git, workspaceRoot, infoExclude, signal),
  };
}

async function findPlaces(git: Git, cwd: string, signal: AbortSignal) {
  const questions = ['--show-toplevel', '--show-prefix', '--absolute-git-dir', '--git-common-dir'];
  const paths = ['objects', 'index', 'info/exclude'].flatMap((path) => ['--git-path', path]);
  try {
    const answer = await git.run(
      ['rev-parse', '--path-format=absolute', ...questions, ...paths, '--show-object-format'],
      { cwd },
      signal,
    );
    const [root, prefix, gitDir, commonDir, objects, indexFile, infoExclude, objectFormat, end] = answer.stdout
      .toString('utf8')
      .split('\n');
    // A newline in a path would shift the answers; then the last one is not where it belongs.
    if (
      !root ||
      prefix === undefined ||
      !gitDir ||
      !commonDir ||
      !objects ||
      !indexFile ||
      !infoExclude ||
      end !== ''
    ) {
      throw new HumanError(
        `The path of the git repository around ${cwd} holds a line break, which DevSquad cannot work with. Nothing was changed.`,
      );
    }
    return { root, prefix, gitDir, commonDir, objects, indexFile, infoExclude, objectFormat: objectFormat ?? 'sha1' };
  } catch (error) {
    if (error instanceof GitError && error.stderr.includes('not a git repository')) {
      return undefined;
    }
    if (error instanceof GitError) {
      throw new HumanError(
        `git cannot work with the folder ${cwd}: ${error.stderr.trim()}. Nothing was changed. Mend that, or open another folder, and try again.`,
        { cause: error },
      );
    }
    throw error;
  }
}

async function isIgnored(git: Git, root: string, prefix: string, signal: AbortSignal): Promise<boolean> {
  const answer = await git.run(['check-ignore', '-q', '--', prefix], { cwd: root, exits: [0, 1] }, signal);
  return answer.exitCode === 0;
}

async function findHead(git: Git, cwd: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await git.run(['rev-parse', '--verify', '-q', 'HEAD^{commit}'], { cwd, exits: [0, 1] }, signal);
  return answer.exitCode === 0 ? answer.stdout.toString('utf8').trim() : undefined;
}

async function followAlternates(objects: string, known: string[] = []): Promise<string[]> {
  const folder = await realpath(objects);
  if (known.includes(folder)) {
    return known;
  }
  known.push(folder);
  for (const line of (await readIfThere(join(folder, 'info', 'alternates'))).split('\n')) {
    if (line !== '' && !line.startsWith('#') && !line.startsWith('"')) {
      await followAlternates(isAbsolute(line) ? line : resolve(folder, line), known);
    }
  }
  return known;
}

async function readExcludes(git: Git, cwd: string, infoExclude: string, signal: AbortSignal): Promise<string> {
  const personal = await git.run(
    ['config', '--type=path', '--get', 'core.excludesFile'],
    { cwd, withPersonalConfig: true, exits: [0, 1, 128] },
    signal,
  );
  const configured = personal.exitCode === 0 ? personal.stdout.toString('utf8').trim() : defaultExcludesFile();
  const files = [configured, infoExclude].filter((path) => path !== '');
  const texts = await Promise.all(files.map((path) => readIfThere(resolve(cwd, path))));
  return texts.filter((text) => text !== '').join('\n');
}

/** Where git looks when nothing is configured. */
function defaultExcludesFile(): string {
  const home = process.env['XDG_CONFIG_HOME'] ?? (process.env['HOME'] ? join(process.env['HOME'], '.config') : '');
  return home && join(home, 'git', 'ignore');
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) {
      return '';
    }
    throw error;
  }
}
