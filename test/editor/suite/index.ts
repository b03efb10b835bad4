// Runs inside the extension host of the served or of a desktop VS Code: @vscode/test-electron takes this entry, too.
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';
import type { SuiteResult } from './results.ts';

/** Runs every `*.test.js` beside this file. Results go to the file that DEVSQUAD_SUITE_RESULTS names. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ timeout: 120_000, forbidOnly: true, reporter: 'min' });
  const folder = import.meta.dirname;
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.js'))) {
    mocha.addFile(path.join(folder, file));
  }
  await mocha.loadFilesAsync();

  const results: SuiteResult[] = [];
  const failures = await new Promise<number>((resolve) => {
    const record = (state: SuiteResult['state']) => (test: Mocha.Test, error?: Error) => {
      results.push({ titles: test.titlePath(), state, ...(error ? { error: error.stack ?? error.message } : {}) });
    };
    mocha.run(resolve).on('pass', record('passed')).on('fail', record('failed')).on('pending', record('skipped'));
  });

  const resultsFile = process.env['DEVSQUAD_SUITE_RESULTS'];
  if (resultsFile) {
    writeFileSync(resultsFile, JSON.stringify(results));
  }
  if (failures > 0) {
    throw new Error(`${failures} of ${results.length} tests failed in the extension host.`);
  }
}
