/**
 * Runs shell commands so that nothing of them is left when they are over: each in a process group of its own, marked
 * in its environment, with a small environment and a bounded output. Whether a command may run is decided elsewhere.
 */
import type { ChildProcess } from 'node:child_process';
import { ProcessStartError, ToolRefusal } from '../domain/errors.ts';
import type { Clock } from '../ports.ts';
import { launch, type Launched, type LaunchRequest } from './launch.ts';
import { findMarked, isGroupAlive } from './processTable.ts';
import { cleanText, OutputCollector } from './processOutput.ts';
import type { Sandbox } from './sandbox.ts';
import { listenTo, type TalkingProgram, type TalkRequest } from './talkingProgram.ts';

export interface ProcessRequest extends LaunchRequest {
  /** A bash command line. */
  readonly command: string;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
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
    const started = await start(request, this.sandbox);
    try {
      return {
        ...(await this.follow(started, request, signal)),
        durationMs: Math.max(0, this.clock.now() - startedAt),
      };
    } finally {
      await started.end();
    }
  }

  /**
   * Starts a program, talks to it line by line and ends it, with all that it started, when the talk is over. Rejects with
   * what the talk rejects with, with a ToolRefusal when the program says too much or takes too long, with an Error of what
   * it said when it ends before the talk does, with the signal's reason, with a ProcessStartError when nothing started.
   */
  async talk<Value>(
    request: TalkRequest,
    talk: (program: TalkingProgram) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    signal.throwIfAborted();
    this.beforeStart();
    const { child, end } = await launch(request.argv, request, { input: 'pipe', errors: 'pipe' }, this.sandbox);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const broken = Promise.withResolvers<never>();
    const over = new AbortController();
    const expired = this.clock.sleep(request.timeoutMs, AbortSignal.any([signal, over.signal])).then(() => {
      throw new ToolRefusal(`It was ended after ${request.timeoutMs / 1000} s.`);
    });
    const talking = talk(listenTo(child, request, broken.reject));
    // Whichever ends first is told, the others are not missed.
    for (const outcome of [broken.promise, expired, talking]) {
      outcome.catch(() => undefined);
    }
    try {
      return await Promise.race([talking, broken.promise, expired]);
    } finally {
      over.abort();
      // Whoever reads to the end of its input ends by itself then.
      child.stdin?.end();
      await this.waitFor(exited);
      await this.endGroup(child);
      await this.endSurvivors(request.effect);
      child.stdout?.destroy();
      child.stderr?.destroy();
      await end();
      signal.throwIfAborted();
    }
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

  private async follow(
    { child, complaint }: Started,
    request: ProcessRequest,
    signal: AbortSignal,
  ): Promise<Omit<ProcessResult, 'durationMs'>> {
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
    };
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

interface Started extends Launched {
  /** What the sandbox itself said: only that it could not be made. */
  readonly complaint: { text: string };
}

async function start(request: ProcessRequest, sandbox: Sandbox | undefined): Promise<Started> {
  // The inner bash gets standard error and output as one pipe, so that their order is kept.
  const argv = ['bash', '-c', 'exec bash -c "$1" 2>&1', 'bash', request.command] as const;
  const errors = request.box && sandbox ? 'pipe' : 'ignore';
  const { child, end } = await launch(argv, request, { input: 'ignore', errors }, sandbox);
  const complaint = { text: '' };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint.text += text;
  });
  return { child, complaint, end };
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
