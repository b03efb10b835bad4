/**
 * Runs shell commands so that nothing of them is left when they are over: each in a process group of its own, marked
 * in its environment, with a small environment and a bounded output. Whether a command may run is decided elsewhere.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { messageOf, ProcessStartError } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';
import { EFFECT_VARIABLE, findMarked, isGroupAlive } from './processTable.ts';
import { hasCode, lookAt } from './folders.ts';
import type { Box, Sandbox } from './sandbox.ts';
import { cleanText, OutputCollector } from './processOutput.ts';

export interface ProcessRequest {
  /** A bash command line. */
  readonly command: string;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
  /** What it reaches where there is a sandbox; without it no sandbox is made. */
  readonly box?: Box;
  /** `<task>.<step>`: carried by every process of the command, so that survivors can be found. */
  readonly effect: string;
  /** Cleaned pieces as they come; a view may show them, nothing is decided on them. */
  readonly onOutput?: (text: string) => void;
}

export interface ProcessResult {
  /** Null when a signal ended the command. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Standard output and error in the order they were written; invalid UTF-8 and control characters replaced. */
  readonly output: string;
  readonly truncated: boolean;
  readonly timedOut: boolean;
  readonly durationMs: number;
}

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;
/** For output that is still on its way when the shell has ended. */
const DRAIN_MS = 200;
const POLL_MS = 20;

/** All that a command inherits. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'USER', 'LOGNAME', 'SHELL', 'SYSTEMROOT', 'TEMP', 'TMP'];

export class Processes {
  private readonly clock: Clock;
  private readonly sandbox: Sandbox | undefined;
  private readonly beforeStart: () => void;

  /** `beforeStart` is called right before each start of a command; what it throws becomes the call's end. */
  constructor(options: { clock: Clock; sandbox?: Sandbox | undefined; beforeStart?: () => void }) {
    this.clock = options.clock;
    this.sandbox = options.sandbox;
    this.beforeStart = options.beforeStart ?? (() => undefined);
  }

  /**
   * Resolves when the command and everything it started are over; what it left in the background is ended. Rejects with
   * the signal's reason when that is aborted (after the group is ended), with a ProcessStartError when nothing started.
   */
  async run(request: ProcessRequest, signal: AbortSignal): Promise<ProcessResult> {
    signal.throwIfAborted();
    const startedAt = this.clock.now();
    this.beforeStart();
    const { child, complaint } = await start(request, this.sandbox);
    const output = new OutputCollector(request.maxOutputBytes);
    const ended = watch(child, output, request.onOutput);
    const timer = new AbortController();
    const expired = this.clock.sleep(request.timeoutMs, AbortSignal.any([signal, timer.signal])).then(
      () => 'timeout' as const,
      () => 'cancelled' as const,
    );
    const first = await Promise.race([ended.exit.then(() => 'exit' as const), expired]);
    timer.abort();
    const drained = first === 'exit' && (await this.waitFor(ended.drained));
    await this.endGroup(child);
    if (!drained) {
      // Something may have left the group and still hold the output.
      await this.endSurvivors(request.effect);
      await this.waitFor(ended.drained);
      child.stdout?.destroy();
    }
    signal.throwIfAborted();
    if (complaint.text !== '') {
      throw new ProcessStartError(
        `The sandbox of this command could not be made: ${complaint.text.trim()}. Nothing ran. If it is so each time, the developer can switch it off (devsquad.sandbox, --no-sandbox).`,
      );
    }
    return {
      exitCode: first === 'timeout' ? null : child.exitCode,
      signal: child.signalCode,
      output: output.text(),
      truncated: output.truncated,
      timedOut: first === 'timeout',
      durationMs: Math.max(0, this.clock.now() - startedAt),
    };
  }

  /**
   * Ends the processes of this user that belong to an effect, or to all effects of a task (`t1` stands for `t1.1`,
   * `t1.2`, never for `t10.1`), also those of a DevSquad that was killed. Answers how many there were. Only on Linux;
   * elsewhere no process tells its environment, nothing is done and the answer is 0.
   */
  async endSurvivors(effectPrefix: string): Promise<number> {
    const survivors = await findMarked(effectPrefix);
    for (const pid of survivors) {
      send(pid, 'SIGTERM');
    }
    const until = this.clock.now() + GRACE_MS;
    let left = survivors;
    while (left.length > 0 && this.clock.now() < until) {
      await this.pause(POLL_MS);
      left = await findMarked(effectPrefix);
    }
    for (const pid of left) {
      send(pid, 'SIGKILL');
    }
    return survivors.length;
  }

  private async endGroup(child: ChildProcess): Promise<void> {
    const group = child.pid;
    if (group === undefined) {
      return;
    }
    send(-group, 'SIGTERM');
    const until = this.clock.now() + GRACE_MS;
    while (await isGroupAlive(group)) {
      if (this.clock.now() >= until) {
        send(-group, 'SIGKILL');
        return;
      }
      await this.pause(POLL_MS);
    }
  }

  /** Whether it came in the time that output may be on its way. */
  private waitFor(event: Promise<unknown>): Promise<boolean> {
    return Promise.race([event.then(() => true), this.pause(DRAIN_MS).then(() => false)]);
  }

  private pause(ms: number): Promise<void> {
    return this.clock.sleep(ms, new AbortController().signal);
  }
}

interface Started {
  readonly child: ChildProcess;
  /** What the sandbox itself said: only that it could not be made. */
  readonly complaint: { text: string };
}

async function start(request: ProcessRequest, sandbox: Sandbox | undefined): Promise<Started> {
  try {
    // The inner bash gets standard error and output as one pipe, so that their order is kept.
    const plain = ['bash', '-c', 'exec bash -c "$1" 2>&1', 'bash', request.command] as const;
    const boxed = request.box && sandbox ? await sandbox.wrap(plain, request.cwd, request.box) : undefined;
    const [program, ...args] = boxed ?? plain;
    const child = spawn(program, args, {
      cwd: request.cwd,
      env: environmentOf(request),
      detached: true,
      stdio: ['ignore', 'pipe', boxed ? 'pipe' : 'ignore'],
    });
    const complaint = { text: '' };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint.text += text;
    });
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    child.once('spawn', () => {
      resolve(undefined);
    });
    child.on('error', reject);
    await promise;
    return { child, complaint };
  } catch (error) {
    throw new ProcessStartError(await explainStart(request.cwd, error), { cause: error });
  }
}

async function explainStart(cwd: string, error: unknown): Promise<string> {
  if (!(await lookAt(cwd))?.isDirectory()) {
    return `The command could not start: its folder ${cwd} does not exist.`;
  }
  if (hasCode(error, 'ENOENT') || hasCode(error, 'EACCES')) {
    return 'The command could not start: DevSquad runs commands with bash, and none was found or it may not run. Install bash, make sure it is on the PATH, and try again.';
  }
  return `The command could not start: ${messageOf(error)}.`;
}

function environmentOf(request: ProcessRequest): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
    CI: '1',
    ...request.env,
    [EFFECT_VARIABLE]: request.effect,
  };
}

/** `exit` when the shell has ended, `drained` when nobody holds its output any more. Neither rejects. */
function watch(child: ChildProcess, output: OutputCollector, onOutput: ProcessRequest['onOutput']) {
  const exit = Promise.withResolvers<undefined>();
  const drained = Promise.withResolvers<undefined>();
  const decoder = new TextDecoder();
  child.stdout?.on('data', (chunk: Buffer) => {
    output.add(chunk);
    onOutput?.(cleanText(decoder.decode(chunk, { stream: true })));
  });
  child.stdout?.on('error', () => undefined);
  child.once('exit', () => {
    exit.resolve(undefined);
  });
  child.once('close', () => {
    drained.resolve(undefined);
  });
  return { exit: exit.promise, drained: drained.promise };
}

/** A negative id is a group. That nobody is there any more is fine. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
}
