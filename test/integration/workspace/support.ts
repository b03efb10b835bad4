/** Real repositories in temporary folders, and a way to see whether anything at all changed in one. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../src/ports.ts';
import { Git } from '../../../src/workspace/git.ts';
import { RunRepository } from '../../../src/workspace/repository.ts';

export const AT = '2026-01-02T03:04:05.678Z';
export const never = new AbortController().signal;

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'devsquad-workspace-')));
  folders.push(folder);
  return folder;
}

export function deleteTemporaryFolders(): void {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function write(root: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

export function makeExecutable(path: string): void {
  chmodSync(path, 0o755);
}

export function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** git as the developer runs it, without this machine's configuration. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=Dev', '-c', 'user.email=dev@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', HOME: '/nonexistent' },
  }).trim();
}

/** A repository with one commit of these files. */
export function repositoryWith(files: Record<string, string | Buffer>, root = temporaryFolder()): string {
  git(root, 'init', '-q', '-b', 'main');
  write(root, files);
  git(root, 'add', '-A');
  git(root, 'commit', '-q', '-m', 'first');
  return root;
}

export function runOn(workspaceRoot: string, folder = join(temporaryFolder(), 'run')): RunRepository {
  return new RunRepository({ folder, workspaceRoot, git: new Git() });
}

/**
 * Path, kind, mode, time and bytes of everything below a folder. Not the time of objects: git marks a borrowed one that
 * is needed again as young, so that the developer's own clean-up keeps it.
 */
export function fingerprint(root: string, path = ''): Record<string, string> {
  const result: Record<string, string> = {};
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const inner = join(path, entry.name);
    const full = join(root, inner);
    const { mode, mtimeMs } = lstatSync(full);
    if (entry.isDirectory()) {
      result[inner] = `folder ${mode} ${mtimeMs}`;
      Object.assign(result, fingerprint(root, inner));
    } else if (entry.isSymbolicLink()) {
      result[inner] = `link ${readlinkSync(full)}`;
    } else if (entry.isFile()) {
      const time = inner.includes('.git/objects/') ? '' : mtimeMs;
      result[inner] = `file ${mode} ${time} ${createHash('sha256').update(readFileSync(full)).digest('hex')}`;
    } else {
      result[inner] = `special ${mode}`;
    }
  }
  return result;
}

/** Paths and contents of a folder without `.git`, for comparing trees. */
export function contents(root: string, path = ''): Record<string, string> {
  const result: Record<string, string> = {};
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const inner = join(path, entry.name);
    const full = join(root, inner);
    if (entry.name === '.git') {
      continue;
    }
    if (entry.isDirectory()) {
      Object.assign(result, contents(root, inner));
    } else if (entry.isSymbolicLink()) {
      result[inner] = `-> ${readlinkSync(full)}`;
    } else if (entry.isFile()) {
      result[inner] = `${(lstatSync(full).mode & 0o100) === 0 ? '' : 'x '}${readFileSync(full, 'latin1')}`;
    }
  }
  return result;
}

/** Real time, for real processes. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => randomBytes(5).toString('hex'),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};
