/** The terminal program with a terminal of its own, and a person who types. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Sandbox } from './headless.ts';

/** `script` gives the program a terminal of its own; its options are those of util-linux. */
export const hasTerminal = process.platform === 'linux' && existsSync('/usr/bin/script');

/** Types `text`, or what it answers to the words, each time that `question` comes up; answers what stood on the screen and how often it was asked. */
export function typeAt(
  sandbox: Sandbox,
  args: readonly string[],
  question: RegExp,
  text: string | ((question: string) => string),
): Promise<{ output: string; exitCode: number | null; answered: number }> {
  const { program, args: words, env } = sandbox.commandLine(...args);
  const line = [program, ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], { env });
  sandbox.own(child);
  const everywhere = new RegExp(question, 'g');
  let output = '';
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    const questions = output.match(everywhere) ?? [];
    if (questions.length > answered) {
      answered = questions.length;
      child.stdin.write(`${typeof text === 'string' ? text : text(questions.at(-1) ?? '')}\n`);
    }
  });
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      resolve({ output, exitCode, answered });
    });
  });
}
