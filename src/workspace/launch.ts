/** Starts one program in a process group of its own, with a small environment that marks it, in a sandbox where there is one. */
import { spawn, type ChildProcess } from 'node:child_process';
import { messageOf, ProcessStartError } from '../domain/errors.ts';
import { hasCode, lookAt } from './folders.ts';
import { EFFECT_VARIABLE } from './processTable.ts';
import type { Box, Boxed, Sandbox } from './sandbox.ts';

export interface LaunchRequest {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it reaches where there is a sandbox; without it no sandbox is made. */
  readonly box?: Box;
  /** `<task>.<step>`: carried by every process of it, so that survivors can be found. */
  readonly effect: string;
}

export interface Launched {
  readonly child: ChildProcess;
  /** To be called when nothing of it runs any more. */
  readonly end: Boxed['end'];
}

/** All that a program inherits. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'USER', 'LOGNAME', 'SHELL', 'SYSTEMROOT', 'TEMP', 'TMP'];

/** Rejects with a ProcessStartError when nothing started. */
export async function launch(
  argv: readonly [program: string, ...args: string[]],
  request: LaunchRequest,
  { input, errors }: { input: 'ignore' | 'pipe'; errors: 'ignore' | 'pipe' },
  sandbox: Sandbox | undefined,
): Promise<Launched> {
  let boxed: Boxed | undefined;
  const end = async (): Promise<void> => boxed?.end();
  try {
    const variables = { ...request.env, [EFFECT_VARIABLE]: request.effect };
    boxed =
      request.box && sandbox ? await sandbox.wrap(argv, request.cwd, request.box, request.env && variables) : undefined;
    const [program, ...args] = boxed?.commandLine ?? argv;
    const told = boxed?.told;
    const env = environmentWith(told === undefined ? variables : { [EFFECT_VARIABLE]: request.effect });
    const child = spawn(program, args, {
      cwd: request.cwd,
      env,
      detached: true,
      stdio: [input, 'pipe', errors, ...(told === undefined ? [] : ['pipe' as const])],
    });
    if (told !== undefined) {
      tell(child, told);
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    child.once('spawn', () => {
      resolve(undefined);
    });
    child.on('error', reject);
    await promise;
    return { child, end };
  } catch (error) {
    await end();
    throw new ProcessStartError(await explainStart(argv[0], request.cwd, error), { cause: error });
  }
}

async function explainStart(program: string, cwd: string, error: unknown): Promise<string> {
  if (!(await lookAt(cwd))?.isDirectory()) {
    return `The command could not start: its folder ${cwd} does not exist.`;
  }
  if (hasCode(error, 'ENOENT') || hasCode(error, 'EACCES')) {
    if (program !== 'bash') {
      return `${JSON.stringify(program)} could not start: it is not on the PATH, or may not be run.`;
    }
    return 'The command could not start: DevSquad runs commands with bash, and none was found or it may not run. Install bash, make sure it is on the PATH, and try again.';
  }
  return `The command could not start: ${messageOf(error)}.`;
}

function environmentWith(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])), CI: '1', ...variables };
}

function tell(child: ChildProcess, text: string): void {
  const pipe = child.stdio[3];
  if (pipe && 'end' in pipe) {
    // That it is gone already is told by its end.
    pipe.on('error', () => undefined);
    pipe.end(text);
  }
}
