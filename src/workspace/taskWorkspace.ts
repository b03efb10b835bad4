/** What a task's tools see of the world: one worktree, its files, its commands, and the instructions written for agents. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ToolRefusal } from '../domain/errors.ts';
import type { World } from '../guardrails/guardrails.ts';
import type { Git } from './git.ts';
import type { Processes, ProcessResult } from './processes.ts';
import type { TalkingProgram, TalkRequest } from './talkingProgram.ts';
import { holdsSecrets, realPlace, textAt } from './realPlace.ts';
import type { Box } from './sandbox.ts';
import { SafeFiles } from './safeFile.ts';
import { runTestSuite, type Finding } from './verification/acceptance.ts';

const INSTRUCTION_FILES = ['AGENTS.md', '.github/copilot-instructions.md'];
const MAX_INSTRUCTIONS = 20_000;
const MAX_OUTPUT_BYTES = 200_000;
/** Nobody waits longer for a search; an expression can be slow where no rule says so. */
const SEARCH_MS = 10_000;

export interface WorkspaceTools {
  readonly git: Git;
  readonly processes: Processes;
  readonly isSandboxed: boolean;
}

export interface RunRequest {
  readonly command: string;
  /** From the workspace root. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** Whether it may reach others over the network, where a sandbox can keep it from that. */
  readonly network: boolean;
  readonly onOutput: (text: string) => void;
}

/** What a task's tools work on. `WorktreeFiles` is the one on disk. */
export interface TaskWorkspace extends World {
  /** The workspace's own instructions for agents; '' where there are none. */
  readonly instructions: string;
  /** Whether commands reach only what is theirs. */
  readonly isSandboxed: boolean;
  /** Text of a regular file. Throws ToolRefusal with what to do instead. */
  readText(file: string): Promise<string>;
  writeText(file: string, text: string): Promise<{ created: boolean }>;
  /** Files that are not ignored, relative to the root, sorted. */
  listFiles(signal: AbortSignal): Promise<string[]>;
  /**
   * Lines `path:number:text` that match, over files that are not ignored. A wrong expression is a GitError, one that takes
   * too long a ToolRefusal.
   */
  search(options: { query: string; isRegex: boolean; glob?: string }, signal: AbortSignal): Promise<string[]>;
  run(options: RunRequest, signal: AbortSignal): Promise<ProcessResult>;
  runTests(options: { filter?: string }, signal: AbortSignal): Promise<Finding>;
  /** Starts a program at the root, talks to it, and ends it with the talk; see `Processes.talk`. */
  talk<Value>(
    request: WorkspaceTalk,
    talk: (program: TalkingProgram) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value>;
}

export interface WorkspaceTalk extends Pick<TalkRequest, 'argv' | 'timeoutMs' | 'maxLine' | 'maxTotal' | 'maxLines'> {
  readonly env: Readonly<Record<string, string>>;
  readonly network: boolean;
}

/** `effect` begins the key that this workspace's processes carry; `box` is what they reach. */
export async function openTaskWorkspace(
  { root, box }: { root: string; box: Box },
  effect: string,
  tools: WorkspaceTools,
): Promise<TaskWorkspace> {
  const texts = await Promise.all(
    INSTRUCTION_FILES.map((file) => readFile(path.join(root, file), 'utf8').catch(() => '')),
  );
  return new WorktreeFiles({ root, box }, effect, tools, texts.filter(Boolean).join('\n\n').slice(0, MAX_INSTRUCTIONS));
}

class WorktreeFiles implements TaskWorkspace {
  readonly instructions: string;
  readonly root: string;
  readonly isSandboxed: boolean;
  private readonly box: Box;
  private readonly effect: string;
  private readonly files: SafeFiles;
  private readonly tools: WorkspaceTools;

  constructor({ root, box }: { root: string; box: Box }, effect: string, tools: WorkspaceTools, instructions: string) {
    this.root = root;
    this.box = box;
    this.isSandboxed = tools.isSandboxed;
    this.effect = effect;
    this.tools = tools;
    this.files = new SafeFiles(root);
    this.instructions = instructions;
  }

  leadsTo(named: string): string | undefined {
    return realPlace(this.root, named);
  }

  textOf(named: string): string | undefined {
    return textAt(this.root, named);
  }

  holdsSecrets(folder: string): boolean {
    return holdsSecrets(this.root, folder);
  }

  async readText(file: string): Promise<string> {
    const { bytes } = await this.files.read(file);
    if (bytes.includes(0)) {
      throw new ToolRefusal(`${file} is a binary file; only text can be read.`);
    }
    return bytes.toString('utf8');
  }

  async writeText(file: string, text: string): Promise<{ created: boolean }> {
    const { before } = await this.files.write(file, text);
    return { created: before === undefined };
  }

  async listFiles(signal: AbortSignal): Promise<string[]> {
    const options = ['--cached', '--others', '--exclude-standard', '--deduplicate', '-z'];
    const listed = await this.tools.git.text(['ls-files', ...options], { cwd: this.root }, signal);
    return listed.split('\0').filter(Boolean).sort();
  }

  async search(options: { query: string; isRegex: boolean; glob?: string }, signal: AbortSignal): Promise<string[]> {
    const scope = options.glob === undefined ? [] : ['--', `:(glob)${options.glob}`];
    const how = ['-n', '-I', '--untracked', '--no-color', options.isRegex ? '-E' : '-F', '-e', options.query];
    const limit = AbortSignal.timeout(SEARCH_MS);
    try {
      const call = { cwd: this.root, exits: [0, 1] };
      const bounded = AbortSignal.any([signal, limit]);
      const { stdout } = await this.tools.git.run(['grep', ...how, ...scope], call, bounded);
      return stdout.toString('utf8').split('\n').filter(Boolean);
    } catch (error) {
      if (limit.aborted && !signal.aborted) {
        throw new ToolRefusal(
          `The search was ended after ${SEARCH_MS / 1000} s. Search for a plainer text, or in fewer files with "glob".`,
        );
      }
      throw error;
    }
  }

  async run(options: RunRequest, signal: AbortSignal): Promise<ProcessResult> {
    const { command, timeoutMs, onOutput, network } = options;
    const box = { ...this.box, network };
    const cwd = path.join(this.root, await this.files.locate(options.cwd));
    const request = { command, cwd, timeoutMs, onOutput, box, maxOutputBytes: MAX_OUTPUT_BYTES, effect: this.effect };
    return this.tools.processes.run(request, signal);
  }

  async runTests(options: { filter?: string }, signal: AbortSignal): Promise<Finding> {
    const { effect, box, tools } = this;
    const place = { checkoutRoot: this.root, effect, box, processes: tools.processes };
    return runTestSuite(place, options.filter, signal);
  }

  talk<Value>(
    { network, ...request }: WorkspaceTalk,
    talk: (program: TalkingProgram) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    const { root: cwd, effect, box } = this;
    return this.tools.processes.talk({ ...request, cwd, effect, box: { ...box, network } }, talk, signal);
  }
}
