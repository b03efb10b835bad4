/**
 * The sandbox of macOS, driven by `sandbox-exec`. Unlike bubblewrap it can lay nothing over a folder, only refuse: what is
 * hidden is refused, and a command is told of a home and a temporary folder of its own that go when it has ended.
 */
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { existing, placesToShow } from './homePlaces.ts';
import type { Box, Boxed, Sandbox, Surroundings } from './sandbox.ts';
import { seatbeltProfile } from './seatbeltProfile.ts';

/** What others have left for a while, as the kernel names it. */
const TEMPORARY = ['/private/tmp', '/private/var/tmp', '/private/var/folders'];
/** Keychains, cookies and settings of programs: no dot folder, and no less telling. */
const LIBRARY = 'Library';
const LIBRARY_TOOLCHAINS = ['Library/pnpm', 'Library/Python', 'Library/Java'];

/** By what programs that were installed in the person's home find their parts when they are told of another home. */
const FOUND_BY: Readonly<Record<string, string>> = {
  RUSTUP_HOME: '.rustup',
  PYENV_ROOT: '.pyenv',
  RBENV_ROOT: '.rbenv',
  NVM_DIR: '.nvm',
  VOLTA_HOME: '.volta',
  ASDF_DATA_DIR: '.asdf',
  MISE_DATA_DIR: '.local/share/mise',
  GOMODCACHE: 'go/pkg/mod',
};

export class Seatbelt implements Sandbox {
  readonly name = 'Seatbelt';
  private readonly surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  /** The command runs where the process is started: nothing is moved. */
  async wrap(argv: readonly string[], _cwd: string, { writable, readable, network }: Box): Promise<Boxed> {
    const home = await kernelName(this.surroundings.home);
    const temporary = await kernelName(this.surroundings.temporary);
    const covered = [...new Set([...TEMPORARY, temporary, home])];
    const own = await mkdtemp(path.join(temporary, 'devsquad-'));
    const end = (): Promise<void> =>
      // What resists is swept up by the system, as all in its temporary folder.
      rm(own, { recursive: true, force: true }).catch(() => undefined);
    try {
      await Promise.all([mkdir(path.join(own, 'home')), mkdir(path.join(own, 'tmp'))]);
      const { text, parameters } = seatbeltProfile({
        covered,
        shown: await shownPlaces(home, covered),
        hidden: await Promise.all(this.surroundings.hidden.map(kernelName)),
        readable: await Promise.all(readable.map(kernelName)),
        worktree: await kernelName(writable),
        own,
        network,
      });
      const variables = [`HOME=${own}/home`, `TMPDIR=${own}/tmp`, ...(await toolchainVariables(home))];
      return {
        commandLine: [
          '/usr/bin/sandbox-exec',
          ...['-p', text, ...parameters.flatMap((parameter) => ['-D', parameter])],
          ...['/usr/bin/env', ...variables, ...argv],
        ],
        end,
      };
    } catch (error) {
      await end();
      throw error;
    }
  }
}

/** Links are not followed: what one of them leads to may be just what is hidden. */
async function shownPlaces(home: string, covered: readonly string[]): Promise<string[]> {
  const shown = await placesToShow(home, covered);
  return [
    ...shown.filter((place) => place !== path.join(home, LIBRARY)),
    ...LIBRARY_TOOLCHAINS.map((folder) => path.join(home, folder)),
  ];
}

async function toolchainVariables(home: string): Promise<string[]> {
  const variables = await Promise.all(
    Object.entries(FOUND_BY).map(async ([name, folder]) =>
      (await existing([path.join(home, folder)])).map((place) => `${name}=${place}`),
    ),
  );
  return variables.flat();
}

/** As the kernel names it, which is how a profile is compared: `/private/tmp` for `/tmp`. What is not there yet keeps its name. */
async function kernelName(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch {
    const above = path.dirname(place);
    return above === place ? place : path.join(await kernelName(above), path.basename(place));
  }
}
