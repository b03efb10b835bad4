/** The terminal program beside a VS Code, for the same user and on the same folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import type { Editor } from './editorHost.ts';

export interface TerminalBeside {
  readonly process: ChildProcess;
  readonly end: Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
  /** Standard output so far. */
  output(): string;
  /** Resolves when standard output has the text, or the program has ended. */
  said(what: string): Promise<void>;
}

export function devsquadBeside(
  { homeFolder, workspaceFolder }: Pick<Editor, 'homeFolder' | 'workspaceFolder'>,
  ...args: string[]
): TerminalBeside {
  const child = spawn(process.execPath, [path.join(projectFolder, 'src/cli.ts'), ...args], {
    cwd: workspaceFolder,
    env: { ...process.env, HOME: homeFolder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (exitCode) => {
      resolve({ exitCode, stdout, stderr });
    });
  });
  const said = async (what: string): Promise<void> => {
    while (!stdout.includes(what) && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { process: child, end, output: () => stdout, said };
}
