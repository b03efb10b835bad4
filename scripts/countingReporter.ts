import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed, each with its full title and why. */
  failures: string[];
}

// mocha's types do not know its CommonJS exports as they are when imported by name.
const { reporters } = createRequire(import.meta.url)('mocha') as typeof Mocha;

/** mocha's `spec` report, with the counts as JSON in the file that DEVSQUAD_COUNTS_FILE names. */
export default class CountingReporter extends reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const counts: Counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
    runner
      .on('pass', () => counts.passed++)
      .on('fail', (test, error: Error) => {
        counts.failed++;
        counts.failures.push(`${test.fullTitle()}\n${error.stack ?? error.message}`);
      })
      .on('pending', () => counts.skipped++)
      .on('end', () => {
        writeFileSync(process.env['DEVSQUAD_COUNTS_FILE'] ?? '/dev/null', JSON.stringify(counts));
      });
  }
}
