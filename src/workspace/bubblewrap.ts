/**
 * The sandbox of Linux: the whole file system to read, the box's folder to write, a home folder and temporary folders of the
 * command's own, no other processes, and no network unless it is granted.
 */
import path from 'node:path';
import { existing, isIn, placesToShow } from './homePlaces.ts';
import type { Box, Boxed, Sandbox, Surroundings } from './sandbox.ts';

/** Sockets of the system and of other programs, and what others have left for a while. */
const TEMPORARY = ['/tmp', '/var/tmp', '/run'];

export class Bubblewrap implements Sandbox {
  readonly name = 'bubblewrap';
  private readonly surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  async wrap(
    argv: readonly string[],
    cwd: string,
    { writable, readable, network }: Box,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Boxed> {
    // Not as arguments: every user of the machine can read those.
    const told = Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]);
    const { home, temporary, hidden } = this.surroundings;
    const covered = [...new Set([...TEMPORARY, temporary, home, ...hidden])].sort();
    const resolver = ['/run/systemd/resolve'].filter((place) => network && isIn(place, covered));
    const shown = [...(await placesToShow(home, covered)), ...resolver].filter((place) => !isIn(place, hidden));
    return {
      commandLine: [
        'bwrap',
        ...['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
        ...(network ? [] : ['--unshare-net']),
        ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
        ...(await existing(covered)).flatMap((folder) => ['--tmpfs', folder]),
        ...(await existing([...new Set(shown)])).flatMap((place) => ['--ro-bind', place, place]),
        ...readable.flatMap((folder) => ['--ro-bind', folder, folder]),
        ...['--bind', writable, writable],
        ...(await existing([path.join(writable, '.git')])).flatMap((file) => ['--ro-bind', file, file]),
        ...(told.length > 0 ? ['--args', '3'] : []),
        ...['--setenv', 'TMPDIR', '/tmp', '--chdir', cwd, '--', ...argv],
      ],
      ...(told.length > 0 ? { told: told.map((word) => `${word}\0`).join('') } : {}),
      // What it wrote elsewhere was only in memory.
      end: () => Promise.resolve(),
    };
  }
}
