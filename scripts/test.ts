// `npm test`: everything a green run means, each phase in a process group of its own. What needs a browser goes on beside
// what does not: the one mostly waits for a window, the other for processes. What failed is said again at the end. The last
// line is `N passed, N failed` and, where there are any, `, N skipped`. Lint, build and the like count only when they fail.
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
  /** Ends what hangs. A slow machine takes three times as long as a quick one. */
  readonly limitMinutes: number;
  /** Phases without which this one cannot say anything. */
  readonly needs?: readonly string[];
}

const first: readonly Phase[] = [
  { name: 'prepare', command: [process.execPath, 'scripts/prepare.ts'], limitMinutes: 15 },
  { name: 'build', command: ['npm', 'run', '--silent', 'build'], limitMinutes: 5 },
];
/** Lists of phases that go on side by side; within one list, one after the other. */
const sideBySide: readonly (readonly Phase[])[] = [
  [
    { name: 'webview', command: mocha('webview'), counts: true, limitMinutes: 15, needs: ['prepare', 'build'] },
    { name: 'editor', command: mocha('editor'), counts: true, limitMinutes: 45, needs: ['prepare', 'build'] },
  ],
  [
    { name: 'scenarios', command: mocha('scenarios'), counts: true, limitMinutes: 30 },
    { name: 'integration', command: mocha('integration'), counts: true, limitMinutes: 20 },
    { name: 'unit', command: mocha('unit'), counts: true, limitMinutes: 15 },
    { name: 'lint', command: ['npm', 'run', '--silent', 'lint'], limitMinutes: 10 },
  ],
];

const started = performance.now();
const total: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
const failedPhases = new Set<string>();
const stopping = new AbortController();
const running = new Set<ChildProcess>();
// What a phase that had to be ended leaves behind goes with this folder. Its name is short, for the sake of sockets in it.
const temporaryFolder = mkdtempSync(path.join(tmpdir(), 'devsquad-'));
const sharedEnvironment = {
  TMPDIR: temporaryFolder,
  // The program is started from source a hundred times.
  NODE_COMPILE_CACHE: path.join(temporaryFolder, 'compiled'),
  DEVSQUAD_REHEARSED_TREE: path.join(temporaryFolder, 'rehearsed-tree'),
};

process.on('exit', () => {
  endAll('SIGKILL');
  rmSync(temporaryFolder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stopping.abort();
    endAll('SIGTERM');
    setTimeout(() => process.exit(1), 5_000);
  });
}

await runInOrder(first);
await Promise.all(sideBySide.map(runInOrder));
if (stopping.signal.aborted) {
  process.exit(1);
}

console.log(
  `\nAll phases took ${secondsSince(started)} s.${failedPhases.size > 0 ? ` Not green: ${[...failedPhases].join(', ')}.` : ''}`,
);
for (const failure of total.failures) {
  console.log(`\nFailed: ${failure}`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

function mocha(kind: string): Phase['command'] {
  const reporter = ['--reporter', 'scripts/countingReporter.ts'];
  return [process.execPath, 'node_modules/mocha/bin/mocha.js', '--config', `test/mocharc.${kind}.json`, ...reporter];
}

async function runInOrder(phases: readonly Phase[]): Promise<void> {
  for (const phase of phases) {
    if (stopping.signal.aborted) {
      return;
    }
    const missing = phase.needs?.find((name) => failedPhases.has(name));
    if (missing) {
      console.log(`\n== ${phase.name}: left out, because ${missing} failed`);
      continue;
    }
    const counts = await runPhase(phase);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
    total.failures.push(...counts.failures);
    if (counts.failed > 0) {
      failedPhases.add(phase.name);
    }
  }
}

/** Never rejects: whatever goes wrong is one failed test more. */
async function runPhase(phase: Phase): Promise<Counts> {
  console.log(`\n== ${phase.name} begins`);
  const phaseStarted = performance.now();
  const countsFile = path.join(temporaryFolder, `${phase.name}.json`);
  const { end, output } = await run(phase, countsFile);
  const counts = readCounts(countsFile);

  console.log(`\n== ${phase.name}\n${output}`);
  const problem = whatWentWrong(phase, end, counts);
  if (problem) {
    console.log(`${phase.name}: ${problem}`);
  }
  console.log(`== ${phase.name} took ${secondsSince(phaseStarted)} s`);
  const { passed, failed, skipped, failures } = counts ?? { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (problem) {
    return { passed, failed: failed + 1, skipped, failures: [...failures, `${phase.name} ${problem}`] };
  }
  return { passed, failed, skipped, failures };
}

/** What it prints is kept until it ends, since another may run beside it. */
function run(phase: Phase, countsFile: string): Promise<{ end: number | string; output: string }> {
  return new Promise((resolve) => {
    const [program, ...args] = phase.command;
    const child = spawn(program, args, {
      cwd: projectFolder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...sharedEnvironment, DEVSQUAD_COUNTS_FILE: countsFile },
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const limit = setTimeout(() => {
      output += `\n${phase.name} has run for ${phase.limitMinutes} minutes and is ended.\n`;
      endGroup(child, 'SIGTERM');
      setTimeout(() => {
        endGroup(child, 'SIGKILL');
      }, 5_000).unref();
    }, phase.limitMinutes * 60_000);
    const settle = (end: number | string): void => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ end, output });
    };
    child.once('error', (error) => {
      settle(error.message);
    });
    child.once('exit', (code, signal) => {
      endGroup(child, 'SIGKILL');
      // A program it left behind in another group may hold its output open; nobody waits for that one.
      const patience = setTimeout(settle, 2_000, code ?? signal ?? 'nothing');
      child.once('close', () => {
        clearTimeout(patience);
        settle(code ?? signal ?? 'nothing');
      });
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

function endAll(signal: NodeJS.Signals): void {
  for (const child of running) {
    endGroup(child, signal);
  }
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) {
      process.kill(-child.pid, signal);
    }
  } catch {
    // Nobody is left in it.
  }
}

function secondsSince(time: number): number {
  return Math.round((performance.now() - time) / 1000);
}
