/**
 * Runs one acceptance check on an exact tree. What fails is a result, never an exception; only what keeps the host from
 * checking at all (no bash, git gone, a stop) is thrown.
 */
import picomatch from 'picomatch';
import type { DeepReadonly } from '../../base/deepReadonly.ts';
import { assertNever } from '../../base/assertNever.ts';
import { describeCheck, type AcceptanceCheck, type CheckResult, type CheckStage } from '../../domain/proof.ts';
import type { Processes, ProcessResult } from '../processes.ts';
import type { Box } from '../sandbox.ts';
import type { RunRepository } from '../repository.ts';
import { findTestCommand } from './testCommand.ts';
import { readTestReport, withoutEmptyFiles } from './testReports.ts';

export interface CheckRequest {
  readonly check: DeepReadonly<AcceptanceCheck>;
  /** Place of the check in the task's list. */
  readonly index: number;
  readonly stage: CheckStage;
  /** Workspace root in a fresh checkout of `tree`. */
  readonly checkoutRoot: string;
  readonly repository: Pick<RunRepository, 'changedPaths' | 'existingPaths'>;
  /** Commit or tree that `unchanged` compares with. */
  readonly base: string;
  readonly tree: string;
  readonly processes: Pick<Processes, 'run'>;
  readonly box?: Box;
  /** Mark of the processes, see ProcessRequest. */
  readonly effect: string;
  /** Default: 10 minutes. */
  readonly timeoutMs?: number;
}

export type Finding = Pick<CheckResult, 'passed' | 'summary'> & {
  readonly output?: string;
  readonly durationMs?: number;
};

export const CHECK_TIMEOUT_MS = 600_000;
/** Runners print their counts at the end, and failures before them. */
const MAX_OUTPUT_BYTES = 1_000_000;
const SHOWN_CHARACTERS = 8_000;

export async function runCheck(request: CheckRequest, signal: AbortSignal): Promise<CheckResult> {
  const { index, stage, tree } = request;
  const { passed, summary, output = '', durationMs = 0 } = await findOut(request, signal);
  return { index, stage, tree, passed, summary, output: lastLines(output), durationMs };
}

function findOut(request: CheckRequest, signal: AbortSignal): Promise<Finding> {
  const { check } = request;
  switch (check.kind) {
    case 'command':
      return checkCommand(request, check, signal);
    case 'tests':
      return runTestSuite(request, check.filter, signal);
    case 'files':
      return checkFiles(request, check, signal);
    default:
      return assertNever(check);
  }
}

async function checkCommand(
  request: CheckRequest,
  check: DeepReadonly<AcceptanceCheck> & { kind: 'command' },
  signal: AbortSignal,
): Promise<Finding> {
  const expected = check.expectExit ?? 0;
  const result = await run(request, check.command, signal);
  const wanted = expected === 0 ? '' : `, and ${expected} was expected`;
  return {
    passed: !result.timedOut && result.exitCode === expected,
    summary: `${check.command}: ${howItEnded(request, result)}${result.exitCode === expected ? '' : wanted}`,
    output: result.output,
    durationMs: result.durationMs,
  };
}

/** Where commands run, and as whose. */
export type CheckPlace = Pick<CheckRequest, 'checkoutRoot' | 'box' | 'processes' | 'effect' | 'timeoutMs'>;

/** Runs the workspace's own tests; passes only when some ran and none failed. */
export async function runTestSuite(
  request: CheckPlace,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<Finding> {
  const check = { kind: 'tests' as const, ...(filter === undefined ? {} : { filter }) };
  const found = await findTestCommand(request.checkoutRoot, filter);
  if (found.kind === 'none') {
    return { passed: false, summary: found.reason };
  }
  const result = await run(request, found.command, signal);
  const judged = judgeTests(request, check, result);
  return {
    ...judged,
    summary: `${describeCheck(check)}: ${judged.summary}`,
    output: result.output,
    durationMs: result.durationMs,
  };
}

function judgeTests(request: CheckPlace, check: { filter?: string | undefined }, result: ProcessResult): Finding {
  const ended = howItEnded(request, result);
  const read = readTestReport(result.output);
  const report = read && check.filter !== undefined ? withoutEmptyFiles(read, result.output) : read;
  const succeeded = !result.timedOut && result.exitCode === 0;
  if (!report) {
    return {
      passed: succeeded,
      summary: `${ended}; the runner's report was not recognised, so only this exit code counts`,
    };
  }
  const { passed, failed, skipped, runner } = report;
  const counts = `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`} (${runner})`;
  if (passed + failed === 0) {
    return {
      passed: false,
      summary: `no test ran${skipped === 0 ? '' : `, ${skipped} skipped`} (${runner}, ${ended})`,
    };
  }
  return { passed: succeeded && failed === 0, summary: succeeded ? counts : `${counts}, ${ended}` };
}

async function checkFiles(
  request: CheckRequest,
  check: DeepReadonly<AcceptanceCheck> & { kind: 'files' },
  signal: AbortSignal,
): Promise<Finding> {
  const { repository, base, tree } = request;
  const [exist, absent] = [check.exist ?? [], check.absent ?? []];
  const problems: string[] = [];
  const usable = new Map<string, string>();
  for (const path of [...exist, ...absent]) {
    const plain = plainPath(path);
    if (plain === undefined) {
      problems.push(`${path} is no path inside the workspace`);
    } else {
      usable.set(path, plain);
    }
  }
  const present = await repository.existingPaths(tree, [...new Set(usable.values())], signal);
  const isThere = (path: string): boolean => present.has(usable.get(path) ?? '');
  problems.push(...exist.filter((path) => usable.has(path) && !isThere(path)).map((path) => `${path} is missing`));
  problems.push(...absent.filter(isThere).map((path) => `${path} exists`));
  if (check.unchanged && check.unchanged.length > 0) {
    const changed = await repository.changedPaths(base, tree, signal);
    problems.push(...changed.filter(matcher(check.unchanged)).map((path) => `${path} was changed`));
  }
  const words = describeCheck(check) || 'no files named';
  return problems.length === 0
    ? { passed: true, summary: words }
    : { passed: false, summary: shorten(problems), output: `${problems.join('\n')}\n` };
}

/** A glob also stands for all that is below it, so that `src` and `src/` mean the folder. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const plain = globs.map((glob) => glob.replace(/^(?:\.\/)+/, '').replace(/\/+$/, ''));
  return picomatch([...plain, ...plain.filter((glob) => !glob.startsWith('!')).map((glob) => `${glob}/**`)], {
    dot: true,
  });
}

/** From the workspace root as git writes it; undefined for what leads elsewhere. */
function plainPath(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return path.startsWith('/') || path.includes('\0') || parts.length === 0 || parts.includes('..')
    ? undefined
    : parts.join('/');
}

function run(request: CheckPlace, command: string, signal: AbortSignal): Promise<ProcessResult> {
  const { checkoutRoot, box, effect, processes, timeoutMs = CHECK_TIMEOUT_MS } = request;
  const limits = { timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES };
  return processes.run({ command, cwd: checkoutRoot, effect, ...limits, ...(box ? { box } : {}) }, signal);
}

function howItEnded(request: CheckPlace, result: ProcessResult): string {
  if (result.timedOut) {
    return `not finished within the time limit of ${describeDuration(request.timeoutMs ?? CHECK_TIMEOUT_MS)}`;
  }
  return result.exitCode === null ? `ended by ${result.signal ?? 'a signal'}` : `exit code ${result.exitCode}`;
}

function describeDuration(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : `${Math.ceil(ms / 1000)} s`;
}

function shorten(problems: readonly string[]): string {
  const rest = problems.length - 5;
  return problems.slice(0, 5).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

/** Whole lines where there are any. */
function lastLines(output: string): string {
  if (output.length <= SHOWN_CHARACTERS) {
    return output;
  }
  const end = output.slice(-SHOWN_CHARACTERS);
  return end.slice(end.slice(0, 1000).indexOf('\n') + 1);
}
