/** Holds a command so that it reaches its own folder and little else. It never takes the place of asking. */
import { execFile } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../domain/errors.ts';

/** What a command gets beside the system's own programs, which it can read. */
export interface Box {
  /** The one folder it may change. */
  readonly writable: string;
  /** Folders it may read though they lie where everything is hidden. */
  readonly readable: readonly string[];
  readonly network: boolean;
}

export interface Sandbox {
  readonly name: string;
  /** The command line that runs `argv` in the box. */
  wrap(argv: readonly string[], cwd: string, box: Box): Promise<readonly [program: string, ...args: string[]]>;
}

export type SandboxFinding =
  | { readonly kind: 'found'; readonly sandbox: Sandbox }
  /** A sentence for the person. */
  | { readonly kind: 'none'; readonly reason: string };

const PROBE_MS = 5_000;

/** What a sandbox must know of the machine. */
export interface Surroundings {
  readonly home: string;
  /** Where programs put what they need for a while. */
  readonly temporary: string;
  /** Folders that no command is to see. */
  readonly hidden: readonly string[];
}

/** Tries it on a command that does nothing. */
export async function findSandbox(surroundings: Surroundings): Promise<SandboxFinding> {
  if (process.platform !== 'linux') {
    return { kind: 'none', reason: 'Commands are not sandboxed: DevSquad knows a sandbox on Linux only.' };
  }
  const sandbox = new Bubblewrap(surroundings);
  try {
    const [program, ...args] = await sandbox.wrap(['true'], '/', { writable: '/tmp', readable: [], network: false });
    await promisify(execFile)(program, args, { timeout: PROBE_MS });
    return { kind: 'found', sandbox };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return {
      kind: 'none',
      reason: isMissing
        ? 'Commands are not sandboxed: bubblewrap is not installed (on Debian or Ubuntu: sudo apt install bubblewrap).'
        : `Commands are not sandboxed: bubblewrap cannot work here (${lastLine(messageOf(error))}).`,
    };
  }
}

/** Where programs lie that people install for themselves; their own secrets lie elsewhere. */
const TOOLCHAINS = [
  ...['.nvm', '.fnm', '.volta', '.asdf', '.pyenv', '.rbenv', '.rustup', '.sdkman', '.deno/bin', '.bun/bin'],
  ...['.cargo/bin', '.local/bin', '.local/share/fnm', '.local/share/mise', '.local/share/pnpm', '.local/lib'],
];
/** Sockets of the system and of other programs, and what others have left for a while. */
const TEMPORARY = ['/tmp', '/var/tmp', '/run'];

/**
 * bubblewrap: the whole file system to read, the box's folder to write, a home folder and temporary folders of the
 * command's own, no other processes, and no network unless it is granted.
 */
class Bubblewrap implements Sandbox {
  readonly name = 'bubblewrap';
  private readonly surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  async wrap(
    argv: readonly string[],
    cwd: string,
    { writable, readable, network }: Box,
  ): Promise<readonly [program: string, ...args: string[]]> {
    const { home, temporary, hidden } = this.surroundings;
    const covered = [...new Set([...TEMPORARY, temporary, home, ...hidden])].sort();
    const isCovered = (place: string): boolean =>
      covered.some((folder) => place === folder || place.startsWith(`${folder}/`));
    // A program mostly lies beside what it needs, but beside it may as well lie the person's whole home.
    const beside = (folder: string): string => {
      const above = path.dirname(folder);
      return covered.includes(above) || covered.includes(path.dirname(above)) ? folder : above;
    };
    const shown = [
      ...(await visibleHome(home)),
      ...TOOLCHAINS.map((folder) => path.join(home, folder)),
      ...(process.env['PATH'] ?? '').split(':').filter(isCovered).map(beside),
      ...(network ? ['/run/systemd/resolve'] : []),
    ].filter((place) => isCovered(place) && !this.isHidden(place));
    return [
      'bwrap',
      ...['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
      ...(network ? [] : ['--unshare-net']),
      ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
      ...(await existing(covered)).flatMap((folder) => ['--tmpfs', folder]),
      ...(await existing([...new Set(shown)])).flatMap((place) => ['--ro-bind', place, place]),
      ...readable.flatMap((folder) => ['--ro-bind', folder, folder]),
      ...['--bind', writable, writable],
      ...(await existing([path.join(writable, '.git')])).flatMap((file) => ['--ro-bind', file, file]),
      ...['--setenv', 'TMPDIR', '/tmp', '--chdir', cwd, '--', ...argv],
    ];
  }

  private isHidden(place: string): boolean {
    return this.surroundings.hidden.some((folder) => place === folder || place.startsWith(`${folder}/`));
  }
}

/** What lies in a home folder and is no setting of a program: those hold what opens other doors. */
async function visibleHome(home: string): Promise<string[]> {
  try {
    return (await readdir(home)).filter((name) => !name.startsWith('.')).map((name) => path.join(home, name));
  } catch {
    return [];
  }
}

async function existing(places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    places.map((place) =>
      access(place).then(
        () => [place],
        () => [],
      ),
    ),
  );
  return found.flat();
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
