/**
 * Brings what the peers need, into a cache folder outside of the repository: their packages from npm, exactly those of the
 * lockfile here, and their servers from PATH or, where apt-get is there, from Debian packages that are unpacked and not
 * installed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { findProgram } from '../../scripts/findProgram.ts';

const cacheFolder = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'devsquad-bench');

/** Loads a package of `bench/peers/package.json`. Throws when npm cannot bring it. */
export function loadPeer(name: string): unknown {
  const lockfile = readFileSync(path.join(import.meta.dirname, 'package-lock.json'));
  const hash = createHash('sha256').update(lockfile).digest('hex').slice(0, 16);
  const folder = once(`npm-${hash}`, (partial) => {
    for (const file of ['package.json', 'package-lock.json']) {
      copyFileSync(path.join(import.meta.dirname, file), path.join(partial, file));
    }
    console.error(`Installing the peers' packages in ${partial}, once.`);
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], partial);
  });
  return createRequire(path.join(folder, 'package.json'))(name);
}

export interface ServerProgram {
  readonly program: string;
  /** What it needs in its environment to find its libraries. */
  readonly env: Readonly<Record<string, string>>;
}

/** Finds `names` in one folder of PATH, or unpacks the Debian package; undefined where neither can be. */
export function findServer(
  program: string,
  debianPackage: string,
  unpackedPrograms: (root: string) => readonly string[],
): ServerProgram | undefined {
  const inPath = findProgram(program);
  if (inPath) {
    return { program: inPath, env: {} };
  }
  if (!findProgram('apt-get') || !findProgram('dpkg')) {
    return undefined;
  }
  try {
    const root = once(debianPackage, (partial) => {
      console.error(`Unpacking the Debian package ${debianPackage} in ${partial}, once.`);
      unpack(debianPackage, partial);
    });
    const unpacked = unpackedPrograms(root).find((file) => existsSync(file));
    const libraries = readdirSync(path.join(root, 'usr/lib')).filter((name) => name.includes('-linux-'));
    const libraryPath = libraries.map((name) => path.join(root, 'usr/lib', name)).join(path.delimiter);
    return unpacked === undefined ? undefined : { program: unpacked, env: { LD_LIBRARY_PATH: libraryPath } };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return undefined;
  }
}

/** The package with those of its dependencies that this system does not have. */
function unpack(debianPackage: string, folder: string): void {
  const plan = run('apt-get', ['--simulate', '--no-install-recommends', 'install', debianPackage], folder);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  run('apt-get', ['download', ...names], folder);
  for (const archive of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', archive, '.'], folder);
    rmSync(path.join(folder, archive));
  }
}

/** The cache's folder of that name, made by `make` when it is not there; an interrupted `make` leaves only a `.partial` one. */
function once(name: string, make: (partial: string) => void): string {
  const folder = path.join(cacheFolder, name);
  if (!existsSync(folder)) {
    const partial = `${folder}.partial`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    make(partial);
    renameSync(partial, folder);
  }
  return folder;
}

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
