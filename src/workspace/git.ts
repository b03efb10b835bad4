/**
 * Runs the git program in a closed world: no configuration of the machine or the person, no hooks, no prompts, a fixed
 * author, dates only from the caller. So the same content, parent, message and date give the same commit everywhere.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { GitError, HumanError } from '../domain/errors.ts';

export interface GitCall {
  readonly cwd: string;
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** ISO 8601; the date of author and committer. Whoever makes a commit gives it. */
  readonly at?: string;
  readonly input?: string | Uint8Array;
  /** Exit codes that are answers; any other becomes a GitError. Default: 0. */
  readonly exits?: readonly number[];
  /** Reads the person's own configuration as well; only for asking about it. */
  readonly withPersonalConfig?: boolean;
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const NULL_DEVICE = process.platform === 'win32' ? 'NUL' : '/dev/null';
const OLDEST: readonly [number, number] = [2, 38];
const AUTHOR = { name: 'DevSquad', email: 'devsquad@localhost' };

/** On every command line, so that no configuration file can bring them back. */
const FIXED_CONFIG: readonly string[] = Object.entries({
  'core.hooksPath': NULL_DEVICE,
  'core.excludesFile': NULL_DEVICE,
  'core.attributesFile': NULL_DEVICE,
  'core.fsmonitor': 'false',
  'core.quotePath': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // Configuration of a foreign repository runs nothing here, so its owner does not matter.
  'safe.directory': '*',
}).flatMap(([key, value]) => ['-c', `${key}=${value}`]);

const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SYSTEMROOT', 'XDG_CONFIG_HOME', 'USERPROFILE'];

export class Git {
  private readonly program: string;
  private readonly beforeStart: () => void;
  private usable: Promise<void> | undefined;

  /** `beforeStart` is called right before each start of the program; what it throws becomes the call's end. */
  constructor(options: { program?: string; beforeStart?: () => void } = {}) {
    this.program = options.program ?? 'git';
    this.beforeStart = options.beforeStart ?? (() => undefined);
  }

  /** Rejects with a HumanError when git is missing or too old. Asks once. */
  ensureUsable(cwd: string, signal: AbortSignal): Promise<void> {
    this.usable ??= this.checkVersion(cwd, signal).catch((error: unknown) => {
      this.usable = undefined;
      throw error;
    });
    return this.usable;
  }

  /** The standard output without its last newline. */
  async text(args: readonly string[], call: GitCall, signal: AbortSignal): Promise<string> {
    const answer = await this.run(args, call, signal);
    return answer.stdout.toString('utf8').replace(/\n$/, '');
  }

  /** Rejects with a GitError, with a HumanError when git is missing, or with the signal's reason. */
  async run(args: readonly string[], call: GitCall, signal: AbortSignal): Promise<GitAnswer> {
    signal.throwIfAborted();
    this.beforeStart();
    const { promise, resolve, reject } = Promise.withResolvers<GitAnswer>();
    const fixed = call.withPersonalConfig ? [] : FIXED_CONFIG;
    const child = spawn(this.program, [...fixed, ...args], { cwd: call.cwd, env: environmentOf(call), stdio: 'pipe' });
    // SIGTERM and not SIGKILL: git removes its lock files on the way out.
    const onAbort = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', onAbort, { once: true });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', onAbort);
      reject(error.code === 'ENOENT' && existsSync(call.cwd) ? missingGit() : error);
    });
    child.on('close', (exitCode) => {
      signal.removeEventListener('abort', onAbort);
      const errors = Buffer.concat(stderr).toString('utf8');
      if (signal.aborted) {
        reject(signal.reason as Error);
      } else if (exitCode === null || !(call.exits ?? [0]).includes(exitCode)) {
        reject(new GitError(args, exitCode, errors));
      } else {
        resolve({ exitCode, stdout: Buffer.concat(stdout), stderr: errors });
      }
    });
    // A git that ends before it has read everything says why by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(call.input ?? '');
    return promise;
  }

  private async checkVersion(cwd: string, signal: AbortSignal): Promise<void> {
    const version = await this.text(['version'], { cwd }, signal);
    const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
      throw new HumanError(
        `DevSquad needs git ${OLDEST.join('.')} or newer, and this is "${version}". Nothing was changed. Update git and try again.`,
      );
    }
  }
}

function environmentOf(call: GitCall): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    ...(call.withPersonalConfig ? {} : { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: NULL_DEVICE }),
    ...(call.gitDir === undefined ? {} : { GIT_DIR: call.gitDir }),
    ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...(call.at === undefined ? {} : authorship(call.at)),
  };
}

function authorship(at: string): NodeJS.ProcessEnv {
  const date = `@${Math.floor(Date.parse(at) / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
    GIT_COMMITTER_DATE: date,
  };
}

function missingGit(): HumanError {
  return new HumanError(
    `DevSquad needs git ${OLDEST.join('.')} or newer, and no git was found. Nothing was changed. Install git, make sure it is on the PATH, and try again.`,
  );
}
