/** Reads the closing lines of test runners: how many tests ran, and how they ended. */

export interface TestReport {
  readonly runner: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

type Counts = Omit<TestReport, 'runner'>;

interface Format {
  readonly runner: string;
  readonly pattern: RegExp;
  /** From the groups of one match. */
  readonly read: (groups: readonly (string | undefined)[]) => Counts;
}

const FORMATS: readonly Format[] = [
  {
    // Both the TAP and the spec reporter close with these lines.
    runner: 'node:test',
    pattern:
      /^[#ℹ] tests \d+\n(?:[#ℹ] suites \d+\n)?[#ℹ] pass (\d+)\n[#ℹ] fail (\d+)\n[#ℹ] cancelled (\d+)\n[#ℹ] skipped (\d+)$/gm,
    read: ([passed, failed, cancelled, skipped]) => ({
      passed: count(passed),
      failed: count(failed) + count(cancelled),
      skipped: count(skipped),
    }),
  },
  {
    runner: 'mocha',
    pattern: /^ +(\d+) passing \([^)\n]*\)(?:\n +(\d+) pending)?(?:\n +(\d+) failing)?$/gm,
    read: ([passed, skipped, failed]) => ({ passed: count(passed), failed: count(failed), skipped: count(skipped) }),
  },
  { runner: 'jest', pattern: /^Tests: +(\d.*) total$/gm, read: ([line]) => countWords(line) },
  { runner: 'vitest', pattern: /^ *Tests +(\d.*) \(\d+\)$/gm, read: ([line]) => countWords(line) },
  {
    runner: 'summary line',
    pattern: /^=* ?(\d+ (?:passed|failed|errors?)(?:, \d+ [a-z]+)*)(?: in [\d.]+s)?(?: \([\d:]+\))? ?=*$/gm,
    read: ([line]) => countWords(line),
  },
];

/** The last report in an output, or undefined where nothing is recognised. */
export function readTestReport(output: string): TestReport | undefined {
  let last: { index: number; report: TestReport } | undefined;
  for (const { runner, pattern, read } of FORMATS) {
    const match = [...output.matchAll(pattern)].at(-1);
    if (match && (last === undefined || match.index > last.index)) {
      last = { index: match.index, report: { runner, ...read(match.slice(1)) } };
    }
  }
  return last?.report;
}

/**
 * For a run with a filter: node:test reports a file in which no test matched as one passed test with the file's name.
 * Such tests are taken off.
 */
export function withoutEmptyFiles(report: TestReport, output: string): TestReport {
  if (report.runner !== 'node:test') {
    return report;
  }
  const files = output.match(/^(?:✔|ok \d+ -) \S.*\.[cm]?[jt]sx?(?: \([\d.]+ms\))?$/gm) ?? [];
  return { ...report, passed: Math.max(0, report.passed - files.length) };
}

/** `3 passed`, `1 failed`, `2 skipped` in any order and with anything between them. */
function countWords(line = ''): Counts {
  const sum = (word: string): number =>
    [...line.matchAll(new RegExp(String.raw`(\d+) ${word}\b`, 'g'))].reduce(
      (total, [, digits]) => total + count(digits),
      0,
    );
  return { passed: sum('passed'), failed: sum('failed') + sum('errors?'), skipped: sum('skipped') };
}

function count(digits: string | undefined): number {
  return Number(digits ?? 0);
}
