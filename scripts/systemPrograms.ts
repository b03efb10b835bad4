import { spawnSync } from 'node:child_process';
import { findChromium, findProgram } from './findProgram.ts';

interface SystemProgram {
  readonly name: string;
  readonly debianPackages: readonly string[];
  find(): string | undefined;
}

const git: SystemProgram = {
  name: 'git',
  debianPackages: ['git'],
  find: () => findProgram('git'),
};

const chromium: SystemProgram = {
  name: 'Chromium',
  debianPackages: ['chromium', 'fonts-dejavu-core'],
  find: findChromium,
};

/** Commands run without it, too; then what it keeps from them is not tested. */
const bubblewrap: SystemProgram = {
  name: 'bubblewrap',
  debianPackages: ['bubblewrap'],
  find: () => findProgram('bwrap'),
};

export const systemPrograms = { git, chromium, bubblewrap };

/** Installs with apt-get what is missing, where that is possible; otherwise throws a sentence that says what to install. */
export function installMissing(...programs: readonly SystemProgram[]): void {
  const missing = programs.filter((program) => !program.find());
  if (missing.length === 0) {
    return;
  }
  const names = missing.map((program) => program.name).join(' and ');
  const packages = missing.flatMap((program) => program.debianPackages);
  const advice = `Install it first (on Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}).`;
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) {
    throw new Error(`${names} is needed and was not found. ${advice}`);
  }
  console.log(`${names} was not found: installing ${packages.join(', ')}.`);
  aptGet(['update']);
  aptGet(['install', '--yes', '--no-install-recommends', ...packages]);
  if (missing.some((program) => !program.find())) {
    throw new Error(`${names} is needed and could not be installed. ${advice}`);
  }
}

/** The same for what one can do without; says so where it is not there in the end. */
export function installIfPossible(program: SystemProgram): void {
  try {
    installMissing(program);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
}

function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stdout, stderr } = spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) {
    console.error(`${stdout}${stderr}`);
  }
}
