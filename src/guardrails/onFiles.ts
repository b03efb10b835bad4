/**
 * Commands that do the same to whatever files they are given: a formatter, a linter, a runner of tests. A person can allow
 * those words with other files of the workspace. Programs that delete, send, or run what they are given are none of them.
 */
import { LAUNCHERS } from './whatRuns.ts';
import type { ShellReading, Word } from './shellSyntax.ts';

const NEVER =
  /^(?:(?:ba|z|da|k|fi)?sh|env|xargs|sudo|doas|eval|exec|source|\.|command|nohup|time|timeout|nice|rm|rmdir|mv|cp|ln|dd|chmod|chown|chgrp|tee|truncate|shred|install|git|hg|svn|curl|wget|ssh|scp|sftp|rsync|nc|ncat|socat|docker|podman|kubectl|make|gmake|npm|pnpm|yarn|bun|find|awk|gawk|sed|tar|zip|unzip|patch|crontab|at|kill|pkill)$/;
const INTERPRETERS = /^(?:node|nodejs|deno|tsx|ts-node|python[\d.]*|ruby|perl|php|lua|Rscript)$/;
/** What an interpreter is given here are tests, and a task's tests run by themselves anyway. */
const RUNS_TESTS = /^(?:node --test|python[\d.]* -m (?:pytest|unittest))(?: -[\w=-]+)*$/;

/**
 * The words before the files; undefined where the command is more than one program with words and, at its end, files.
 * `isFile`: whether that is a file of the workspace which may be read and written.
 */
export function wordsOnFiles(
  { commands, doubt }: ShellReading,
  isFile: (path: string) => boolean,
): string[] | undefined {
  const [words, ...others] = commands;
  if (doubt !== undefined || others.length > 0 || !words || words.some(({ isGlob }) => isGlob)) {
    return undefined;
  }
  const count = countOfFiles(words, isFile);
  const kept = words.slice(0, words.length - count).map(({ text }) => text);
  const [program = '', second = ''] = kept;
  const worker = LAUNCHERS.has(program) ? second : program;
  if (count === 0 || worker === '' || worker.startsWith('-') || worker.includes('/') || NEVER.test(worker)) {
    return undefined;
  }
  return INTERPRETERS.test(worker) && !RUNS_TESTS.test(kept.join(' ')) ? undefined : kept;
}

function countOfFiles(words: readonly Word[], isFile: (path: string) => boolean): number {
  let count = 0;
  // The program itself is none.
  for (let index = words.length - 1; index > 0; index--) {
    const text = words[index]?.text ?? '';
    if (text.startsWith('-') || !isFile(text)) {
      break;
    }
    count++;
  }
  return count;
}
