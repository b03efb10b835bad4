/** Hands a result to the developer as a branch in their own repository: objects and one ref, nothing else changes there. */
import { GitError, HumanError } from '../domain/errors.ts';
import { findDeveloperRepository } from './developerRepository.ts';
import type { GitCall } from './git.ts';
import type { CommitNote, RunRepository } from './repository.ts';

export interface BranchRequest extends CommitNote {
  readonly repository: RunRepository;
  readonly name: string;
  /** Tree of the result. */
  readonly tree: string;
}

/** The developer's settings must not make a fetch do more than it is asked for. */
const QUIET_FETCH = [
  ...['protocol.version=2', 'protocol.file.allow=always', 'core.logAllRefUpdates=false'],
  ...[
    'fetch.prune=false',
    'fetch.pruneTags=false',
    'fetch.writeCommitGraph=false',
    'fetch.negotiationAlgorithm=default',
  ],
].flatMap((setting) => ['-c', setting]);

const FETCH = [
  ...QUIET_FETCH,
  ...['fetch', '-q', '--no-write-fetch-head', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance'],
];

/**
 * A branch with one commit on the developer's base that holds the result. The same request a second time answers with
 * the same commit. Rejects with a HumanError where there is no git, or the name is taken or no name for a branch.
 */
export async function makeBranch(request: BranchRequest, signal: AbortSignal): Promise<{ commit: string }> {
  const { repository, name } = request;
  const call = await developerCall(repository, signal);
  const ref = await checkedRef(request, call, signal);
  const { gitDir, seed } = await repository.location();
  const commit = await repository.commitTree(request.tree, seed.baseCommit, request, signal);
  const present = await readBranch(repository, call, ref, signal);
  if (present?.commit === commit) {
    return { commit };
  }
  if (present) {
    throw taken(name);
  }
  await repository.git.run([...FETCH, gitDir, commit], call, signal);
  try {
    const input = `create ${ref} ${commit}\n`;
    await repository.git.run([...QUIET_FETCH, 'update-ref', '--stdin'], { ...call, input }, signal);
  } catch (error) {
    throw error instanceof GitError ? taken(name, error) : error;
  }
  return { commit };
}

/** Takes `makeBranch` back, if the branch still is what it made and no working tree stands on it. */
export async function deleteBranch(
  request: Pick<BranchRequest, 'repository' | 'name'> & { commit: string },
  signal: AbortSignal,
): Promise<'deleted' | 'moved' | 'checked-out'> {
  const { repository, commit } = request;
  const call = await developerCall(repository, signal);
  const ref = await checkedRef(request, call, signal);
  const present = await readBranch(repository, call, ref, signal);
  if (!present) {
    return 'deleted';
  }
  if (present.commit !== commit) {
    return 'moved';
  }
  if (present.checkedOut) {
    return 'checked-out';
  }
  const input = `option no-deref\ndelete ${ref} ${commit}\n`;
  try {
    await repository.git.run(['update-ref', '--stdin'], { ...call, input }, signal);
    return 'deleted';
  } catch (error) {
    if (error instanceof GitError) {
      return 'moved';
    }
    throw error;
  }
}

async function developerCall(repository: RunRepository, signal: AbortSignal): Promise<GitCall> {
  const developer = await findDeveloperRepository(repository.git, repository.workspaceRoot, signal);
  if (!developer) {
    throw new HumanError(
      'This folder has no git repository, so there is nothing a branch could be made in. Nothing was changed. Apply the result to the folder instead.',
    );
  }
  return { cwd: developer.root };
}

async function checkedRef(
  { repository, name }: Pick<BranchRequest, 'repository' | 'name'>,
  call: GitCall,
  signal: AbortSignal,
) {
  const ref = `refs/heads/${name}`;
  const answer = name.includes('\0')
    ? undefined
    : await repository.git.run(['check-ref-format', ref], { ...call, exits: [0, 1] }, signal);
  if (answer?.exitCode !== 0 || name.startsWith('-') || name === 'HEAD' || name === '@') {
    throw new HumanError(
      `${JSON.stringify(name)} is no name for a branch. Nothing was changed. Use letters, digits, "-", "_" and "/", and try again.`,
    );
  }
  return ref;
}

async function readBranch(repository: RunRepository, call: GitCall, ref: string, signal: AbortSignal) {
  const format = '--format=%(refname) %(objectname) %(worktreepath)';
  // The pattern also finds what is below the name, as if it were a folder.
  const lines = (await repository.git.text(['for-each-ref', format, ref], call, signal)).split('\n');
  const [, commit, path] = lines.map((line) => line.split(' ')).find(([found]) => found === ref) ?? [];
  return commit === undefined ? undefined : { commit, checkedOut: path !== '' };
}

function taken(name: string, cause?: unknown): HumanError {
  return new HumanError(
    `A branch ${JSON.stringify(name)} cannot be made: that name, or a part of it, is taken. Nothing was changed. Choose another name and try again.`,
    { cause },
  );
}
