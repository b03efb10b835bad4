// `npm test`: everything a green run means, one phase after the other, each in a process group of its own. The last line is
// `N passed, N failed` and, where there are any, `, N skipped`. Lint, build and the like count only when they fail.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Counts } from './countingReporter.ts';
import { projectFolder } from './project.ts';

interface Phase {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Whether it says how many tests passed. */
  readonly counts?: true;
  readonly limitMinutes: number;
  /** Phases without which this one cannot say anything. */
  readonly needs?: readonly string[];
}

const phases: readonly Phase[] = [
  { name: 'prepare', command: [process.execPath, 'scripts/prepare.ts'], limitMinutes: 8 },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'], limitMinutes: 4 },
  { name: 'build', command: ['npm', 'run', '--silent', 'build'], limitMinutes: 1 },
  { name: 'unit', command: mocha('unit'), counts: true, limitMinutes: 2 },
  { name: 'integration', command: mocha('integration'), counts: true, limitMinutes: 3 },
  { name: 'scenarios', command: mocha('scenarios'), counts: true, limitMinutes: 8 },
  { name: 'webview', command: mocha('webview'), counts: true, limitMinutes: 3, needs: ['prepare', 'build'] },
  { name: 'editor', command: mocha('editor'), counts: true, limitMinutes: 12, needs: ['prepare', 'build'] },
];

const started = performance.now();
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const failedPhases = new Set<string>();
let current: ChildProcess | undefined;
// What a phase that had to be ended leaves behind goes with this folder. Its name is short, for the sake of sockets in it.
const temporaryFolder = mkdtempSync(path.join(tmpdir(), 'devsquad-'));

process.on('exit', () => {
  endGroup(current, 'SIGKILL');
  rmSync(temporaryFolder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    endGroup(current, 'SIGTERM');
    setTimeout(() => process.exit(1), 5_000).unref();
    current?.once('exit', () => process.exit(1));
  });
}

for (const phase of phases) {
  const missing = phase.needs?.find((name) => failedPhases.has(name));
  if (missing) {
    console.log(`\n== ${phase.name}: left out, because ${missing} failed`);
    continue;
  }
  const counts = await runPhase(phase);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  if (counts.failed > 0) {
    failedPhases.add(phase.name);
  }
}

console.log(
  `\nAll phases took ${secondsSince(started)} s.${failedPhases.size > 0 ? ` Not green: ${[...failedPhases].join(', ')}.` : ''}`,
);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function mocha(kind: string): Phase['command'] {
  const reporter = ['--reporter', 'scripts/countingReporter.ts'];
  return [process.execPath, 'node_modules/mocha/bin/mocha.js', '--config', `test/mocharc.${kind}.json`, ...reporter];
}

/** Never rejects: whatever goes wrong is one failed test more. */
async function runPhase(phase: Phase): Promise<Counts> {
  console.log(`\n== ${phase.name}`);
  const phaseStarted = performance.now();
  const countsFile = path.join(temporaryFolder, `${phase.name}.json`);
  const end = await run(phase, countsFile);
  const counts = readCounts(countsFile);

  const problem = whatWentWrong(phase, end, counts);
  if (problem) {
    console.error(`${phase.name}: ${problem}`);
  }
  console.log(`== ${phase.name} took ${secondsSince(phaseStarted)} s`);
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  return { passed, failed: failed + (problem ? 1 : 0), skipped };
}

function run(phase: Phase, countsFile: string): Promise<number | string> {
  return new Promise((resolve) => {
    const [program, ...args] = phase.command;
    const child = spawn(program, args, {
      cwd: projectFolder,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, TMPDIR: temporaryFolder, DEVSQUAD_COUNTS_FILE: countsFile },
    });
    current = child;
    const limit = setTimeout(() => {
      console.error(`${phase.name} has run for ${phase.limitMinutes} minutes and is ended.`);
      endGroup(child, 'SIGTERM');
      setTimeout(() => {
        endGroup(child, 'SIGKILL');
      }, 5_000).unref();
    }, phase.limitMinutes * 60_000);
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      endGroup(child, 'SIGKILL');
      resolve(code ?? signal ?? 'nothing');
    });
  });
}

function whatWentWrong(phase: Phase, end: number | string, counts: Counts | undefined): string | undefined {
  if (phase.counts && !counts) {
    return `ended with ${end} before it could say what passed.`;
  }
  if (counts && counts.passed + counts.failed === 0) {
    return 'ran no test at all.';
  }
  return end === 0 || (counts && counts.failed > 0) ? undefined : `ended with ${end}.`;
}

function readCounts(file: string): Counts | undefined {
  // Written by our own reporter when the last test has ended.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counts) : undefined;
}

function endGroup(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  try {
    if (child?.pid !== undefined) {
      process.kill(-child.pid, signal);
    }
  } catch {
    // Nobody is left in it.
  }
}

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
