/** The sandbox of this machine, once it has held a command that does nothing. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../domain/errors.ts';
import { Bubblewrap } from './bubblewrap.ts';
import type { Sandbox, Surroundings } from './sandbox.ts';
import { Seatbelt } from './seatbelt.ts';

export type SandboxFinding =
  | { readonly kind: 'found'; readonly sandbox: Sandbox }
  /** A sentence for the person. */
  | { readonly kind: 'none'; readonly reason: string };

/** A busy machine is no machine without a sandbox. */
const PROBE_MS = 20_000;

export async function findSandbox(surroundings: Surroundings): Promise<SandboxFinding> {
  const known = sandboxOf(process.platform, surroundings);
  if (!known) {
    return none('DevSquad knows a sandbox on Linux and macOS only.');
  }
  const { sandbox, missing } = known;
  try {
    const box = { writable: '/tmp', readable: [], network: false };
    const { commandLine, end } = await sandbox.wrap(['true'], '/', box);
    const [program, ...args] = commandLine;
    await promisify(execFile)(program, args, { timeout: PROBE_MS }).finally(end);
    return { kind: 'found', sandbox };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return none(isMissing ? missing : `${sandbox.name} cannot work here (${lastLine(messageOf(error))}).`);
  }
}

/** `missing`: what to say where its program is not there. */
function sandboxOf(
  platform: NodeJS.Platform,
  surroundings: Surroundings,
): { readonly sandbox: Sandbox; readonly missing: string } | undefined {
  switch (platform) {
    case 'linux':
      return {
        sandbox: new Bubblewrap(surroundings),
        missing: 'bubblewrap is not installed (on Debian or Ubuntu: sudo apt install bubblewrap).',
      };
    case 'darwin':
      return { sandbox: new Seatbelt(surroundings), missing: 'this macOS has no /usr/bin/sandbox-exec.' };
    default:
      return undefined;
  }
}

function none(why: string): SandboxFinding {
  return { kind: 'none', reason: `Commands are not sandboxed: ${why}` };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
