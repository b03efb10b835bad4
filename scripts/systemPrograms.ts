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

export const systemPrograms = { git, chromium };

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
