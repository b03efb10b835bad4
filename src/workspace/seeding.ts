/**
 * Builds a run's private repository: it borrows the developer's objects and holds one commit of the working tree as it
 * is now. Everything is written aside and renamed at the end; the developer's repository is only read.
 */
import { appendFile, copyFile, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { GitError, HumanError } from '../domain/errors.ts';
import { seedSchema, type Seed } from '../domain/run.ts';
import { findDeveloperRepository, type DeveloperRepository } from './developerRepository.ts';
import { TEMPORARY_FILES } from './atomicFile.ts';
import { isMissing, removeTree } from './folders.ts';
import type { Git, GitCall } from './git.ts';
import { copyIndex, distrustConverted } from './indexFile.ts';
import { stageAll, StagingError } from './staging.ts';

export interface SeedingPlace {
  readonly git: Git;
  readonly workspaceRoot: string;
  /** Folder of the finished repository; beside it stands what is being built. */
  readonly repositoryFolder: string;
}

const SEED_FILE = 'devsquad-seed.json';
const SEED_MESSAGE = 'Working tree at the start of the run\n';

/** For agents' own git commands in the worktrees; our calls bring theirs on the command line. */
const PRIVATE_CONFIG = `[core]
	autocrlf = false
	safecrlf = false
	fsmonitor = false
	untrackedCache = false
	hooksPath = /dev/null
	excludesFile = /dev/null
	attributesFile = /dev/null
	fsync = committed,reference
	fsyncMethod = batch
[gc]
	auto = 0
[maintenance]
	auto = false
[user]
	name = DevSquad
	email = devsquad@localhost
[commit]
	gpgSign = false
`;

/** Content goes in and comes out byte by byte, whatever .gitattributes in the tree say; how it is compared stays theirs. */
const BYTE_EXACT = '* -text -eol -filter -ident !working-tree-encoding\n';

const BUILT_IN_EXCLUDES = 'node_modules/\n.DS_Store\n';

/** The seed of a finished repository, or undefined where there is none. */
export async function readSeed(repositoryFolder: string): Promise<Seed | undefined> {
  try {
    return seedSchema.parse(JSON.parse(await readFile(join(repositoryFolder, SEED_FILE), 'utf8')));
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}

/** Rejects with a HumanError when the working tree cannot be taken as it is; then nothing is left behind. */
export async function seedRepository(place: SeedingPlace, at: string, signal: AbortSignal): Promise<Seed> {
  const { git, repositoryFolder } = place;
  const workspaceRoot = await realpath(place.workspaceRoot);
  await git.ensureUsable(workspaceRoot, signal);
  const developer = await findDeveloperRepository(git, workspaceRoot, signal);
  const building = `${repositoryFolder}.building`;
  await removeTree(building);
  try {
    await createRepository(git, building, developer, signal);
    const root = developer?.root ?? workspaceRoot;
    const call = { cwd: root, gitDir: building, workTree: root, indexFile: join(building, 'seed-index'), at };
    await fillIndex(git, call, developer, signal);
    await takeWorkingTree(git, call, await avoidOwnFolder(root, repositoryFolder), signal);
    const seed = await commitSeed(git, call, developer, signal);
    await writeFile(join(building, SEED_FILE), JSON.stringify(seed));
    await rename(building, repositoryFolder);
    return seed;
  } catch (error) {
    await removeTree(building);
    throw error;
  }
}

async function createRepository(
  git: Git,
  folder: string,
  developer: DeveloperRepository | undefined,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const format = `--object-format=${developer?.objectFormat ?? 'sha1'}`;
  await git.run(
    ['init', '-q', '--bare', '--template=', '-b', 'integration', format, folder],
    { cwd: dirname(folder) },
    signal,
  );
  await appendFile(join(folder, 'config'), PRIVATE_CONFIG);
  await mkdir(join(folder, 'info'));
  await writeFile(join(folder, 'info', 'attributes'), BYTE_EXACT);
  await writeFile(
    join(folder, 'info', 'exclude'),
    `${developer ? developer.excludes : BUILT_IN_EXCLUDES}\n${TEMPORARY_FILES}\n`,
  );
  if (developer) {
    await mkdir(join(folder, 'objects', 'info'), { recursive: true });
    await writeFile(join(folder, 'objects', 'info', 'alternates'), developer.objectFolders.map(alternateLine).join(''));
    await copyFile(join(developer.commonDir, 'shallow'), join(folder, 'shallow')).catch(ignoreMissing);
  }
}

/** Begins with what the developer's index knows; where it cannot be read on its own (split index), with the last commit. */
async function fillIndex(
  git: Git,
  call: GitCall & { indexFile: string },
  developer: DeveloperRepository | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!developer) {
    return;
  }
  try {
    await copyIndex(developer.indexFile, call.indexFile);
    await distrustConverted(git, call, developer.root, signal);
  } catch (error) {
    if (!isMissing(error) && !(error instanceof GitError)) {
      throw error;
    }
    await removeTree(call.indexFile);
    if (developer.headCommit !== undefined) {
      await git.run(['read-tree', developer.headCommit], call, signal);
    }
  }
}

async function takeWorkingTree(git: Git, call: GitCall, avoid: string[], signal: AbortSignal): Promise<void> {
  try {
    await stageAll(git, call, { prefix: '', avoid }, signal);
  } catch (error) {
    if (error instanceof StagingError) {
      throw new HumanError(
        `DevSquad could not take over the working tree in ${call.cwd} as it is now. git says: ${error.line}. Nothing was changed. ` +
          'Make that file readable, ignore it with .gitignore, or wait until nothing changes files there, and try again.',
        { cause: error },
      );
    }
    throw error;
  }
}

async function commitSeed(
  git: Git,
  call: GitCall,
  developer: DeveloperRepository | undefined,
  signal: AbortSignal,
): Promise<Seed> {
  const tree = await git.text(['write-tree'], call, signal);
  const baseCommit = developer?.headCommit ?? null;
  const parent = baseCommit === null ? [] : ['-p', baseCommit];
  const commit = await git.text(['commit-tree', tree, ...parent], { ...call, input: SEED_MESSAGE }, signal);
  const refs = `create refs/heads/seed ${commit}\ncreate refs/heads/integration ${commit}\n`;
  await git.run(['update-ref', '--stdin'], { ...call, input: refs }, signal);
  return { baseCommit, commit, tree, prefix: developer?.prefix ?? '' };
}

/** A storage folder inside the workspace must not end up in its own seed. */
async function avoidOwnFolder(root: string, repositoryFolder: string): Promise<string[]> {
  const path = relative(root, await realpath(dirname(repositoryFolder)));
  return path === '' || path.startsWith('..') ? [] : [path.split(sep).join('/')];
}

/** Alternates are read line by line; git takes a path with a line break or a leading '#' or '"' only quoted. */
function alternateLine(folder: string): string {
  return /[\n"#\\]/.test(folder) ? `"${folder.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"\n` : `${folder}\n`;
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) {
    throw error;
  }
}
