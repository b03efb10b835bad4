/**
 * The agents' tools in their smallest honest form: real files, contract names and arguments, no rights, no ledger. It lets
 * a model be played to the end where the squad itself is not under test.
 */
import { execFile } from 'node:child_process';
import { cp, glob, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, matchesGlob } from 'node:path';
import * as z from 'zod';
import type { ToolCall } from '../../src/domain/conversation.ts';
import type { PlanTask } from '../../src/domain/plan.ts';
import type { AcceptanceCheck } from '../../src/domain/proof.ts';
import { messageOf } from '../../src/domain/errors.ts';
import type { ToolDeclaration } from '../../src/ports.ts';

const path = z.string().min(1);

/** Arguments as the contract lists them. */
const ARGUMENTS = {
  read_file: z.strictObject({ path, startLine: z.number().optional(), endLine: z.number().optional() }),
  list_files: z.strictObject({ path: path.optional(), glob: z.string().optional(), limit: z.number().optional() }),
  search_text: z.strictObject({
    query: z.string(),
    isRegex: z.boolean().optional(),
    glob: z.string().optional(),
    limit: z.number().optional(),
  }),
  write_file: z.strictObject({ path, content: z.string() }),
  apply_edit: z.strictObject({
    path,
    edits: z
      .array(z.strictObject({ oldText: z.string().min(1), newText: z.string(), replaceAll: z.boolean().optional() }))
      .min(1),
  }),
  run_command: z.strictObject({ command: z.string(), cwd: z.string().optional(), timeoutMs: z.number().optional() }),
  run_tests: z.strictObject({ filter: z.string().optional(), coverage: z.boolean().optional() }),
  submit_plan: z.record(z.string(), z.unknown()),
  finish_task: z.strictObject({ summary: z.string().min(1), artifacts: z.unknown().optional() }),
  send_message: z.strictObject({
    to: z.string(),
    type: z.enum(['status_update', 'coordination']),
    content: z.string().min(1),
    priority: z.number().int().min(1).max(5).optional(),
  }),
  ask_human: z.strictObject({ question: z.string(), options: z.array(z.string()).optional() }),
  report_progress: z.strictObject({ percent: z.number().min(0).max(100).optional(), note: z.string() }),
} as const;
export type ToolName = keyof typeof ARGUMENTS;

const PLANNING_TOOLS: readonly ToolName[] = ['read_file', 'list_files', 'search_text', 'submit_plan', 'ask_human'];

/** What an agent of that kind is offered. */
export function declareTools(kind: 'planning' | 'working'): ToolDeclaration[] {
  return (Object.keys(ARGUMENTS) as ToolName[])
    .filter((name) => (kind === 'planning' ? PLANNING_TOOLS.includes(name) : name !== 'submit_plan'))
    .map((name) => ({ name, description: name, parameters: z.toJSONSchema(ARGUMENTS[name]) }));
}

/** Parses a call strictly. Throws where the tool does not exist or the arguments do not fit. */
export function parseCall(call: Pick<ToolCall, 'name' | 'argumentsText'>): unknown {
  if (!Object.hasOwn(ARGUMENTS, call.name)) {
    throw new Error(`There is no tool ${call.name}. There are: ${Object.keys(ARGUMENTS).join(', ')}`);
  }
  return ARGUMENTS[call.name as ToolName].parse(JSON.parse(call.argumentsText));
}

/** One task's working folder: a copy of another one, and what changed since. */
export class TinyWorktree {
  readonly folder: string;
  readonly written = new Set<string>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async copyOf(source: string, folder: string): Promise<TinyWorktree> {
    await cp(source, folder, { recursive: true });
    return new TinyWorktree(folder);
  }

  /** The tool's answer as a model reads it. Rejects where the call cannot be carried out. */
  async call(call: Pick<ToolCall, 'name' | 'argumentsText'>): Promise<string> {
    const args = parseCall(call);
    switch (call.name as ToolName) {
      case 'read_file':
        return this.read(ARGUMENTS.read_file.parse(args).path);
      case 'list_files':
        return (await this.files(ARGUMENTS.list_files.parse(args).path)).join('\n');
      case 'search_text':
        return this.search(ARGUMENTS.search_text.parse(args));
      case 'write_file': {
        const file = ARGUMENTS.write_file.parse(args);
        await this.write(file.path, file.content);
        return `Wrote ${file.path}`;
      }
      case 'apply_edit':
        return this.edit(ARGUMENTS.apply_edit.parse(args));
      default:
        return 'Done.';
    }
  }

  /** What failed of a task's acceptance, in words; nothing when all of it holds. */
  async verify(task: Pick<PlanTask, 'acceptance'>): Promise<string[]> {
    const results = await Promise.all(task.acceptance.map((check) => this.check(check)));
    return results.filter((result) => result !== undefined);
  }

  /** Puts the changed files into another folder, as a merge would. */
  async mergeInto(folder: string): Promise<void> {
    for (const file of this.written) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await cp(join(this.folder, file), join(folder, file));
    }
  }

  private read(file: string): Promise<string> {
    return readFile(join(this.folder, file), 'utf8');
  }

  private async files(folder = '.'): Promise<string[]> {
    const found: string[] = [];
    for await (const entry of glob('**', { cwd: join(this.folder, folder), withFileTypes: true })) {
      if (entry.isFile()) {
        found.push(
          join(entry.parentPath, entry.name)
            .slice(this.folder.length + 1)
            .replaceAll('\\', '/'),
        );
      }
    }
    return found.sort();
  }

  private async search({ query, glob: pattern = '**' }: z.infer<typeof ARGUMENTS.search_text>): Promise<string> {
    const hits: string[] = [];
    for (const file of (await this.files()).filter((name) => matchesGlob(name, pattern))) {
      for (const [index, line] of (await this.read(file)).split('\n').entries()) {
        if (line.includes(query)) {
          hits.push(`${file}:${index + 1}: ${line.trim()}`);
        }
      }
    }
    return hits.join('\n') || 'Nothing found.';
  }

  private async write(file: string, content: string): Promise<void> {
    await mkdir(dirname(join(this.folder, file)), { recursive: true });
    await writeFile(join(this.folder, file), content);
    this.written.add(file);
  }

  private async edit({ path: file, edits }: z.infer<typeof ARGUMENTS.apply_edit>): Promise<string> {
    let text = await this.read(file);
    for (const { oldText, newText, replaceAll } of edits) {
      const count = text.split(oldText).length - 1;
      if (count === 0 || (count > 1 && replaceAll !== true)) {
        throw new Error(`oldText occurs ${count} times in ${file}, it must occur exactly once: ${oldText}`);
      }
      text = text.split(oldText).join(newText);
    }
    await this.write(file, text);
    return `Edited ${file}`;
  }

  private async check(check: AcceptanceCheck): Promise<string | undefined> {
    switch (check.kind) {
      case 'command': {
        const { exit, output } = await runShell(check.command, this.folder);
        return exit === (check.expectExit ?? 0) ? undefined : `${check.command} ended with ${exit}:\n${output}`;
      }
      case 'tests': {
        const { exit, output } = await runShell('npm test', this.folder);
        return exit === 0 ? undefined : `The tests ended with ${exit}:\n${output}`;
      }
      case 'files':
        return this.checkFiles(check);
    }
  }

  private async checkFiles(check: Extract<AcceptanceCheck, { kind: 'files' }>): Promise<string | undefined> {
    const present = new Set(await this.files());
    const wrong = [
      ...(check.exist ?? []).filter((file) => !present.has(file)),
      ...(check.absent ?? []).filter((file) => present.has(file)),
      ...[...this.written].filter((file) => (check.unchanged ?? []).some((pattern) => matchesGlob(file, pattern))),
    ];
    return wrong.length === 0 ? undefined : `Not as they should be: ${wrong.join(', ')}`;
  }
}

/** Runs a command line in the system's shell; never rejects. */
export function runShell(command: string, cwd: string): Promise<{ exit: number; output: string }> {
  const shell = process.platform === 'win32' ? ['cmd', '/d', '/s', '/c'] : ['sh', '-c'];
  return new Promise((resolve) => {
    execFile(shell[0]!, [...shell.slice(1), command], { cwd }, (error, stdout, stderr) => {
      const exit = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ exit, output: `${stdout}${stderr}${error ? messageOf(error) : ''}` });
    });
  });
}
