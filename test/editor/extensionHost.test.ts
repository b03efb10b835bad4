import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Suite, Test } from 'mocha';
import { projectFolder } from '../../scripts/project.ts';
import { findDesktopEditor } from '../support/desktopEditor.ts';
import { runInExtensionHost } from '../support/editorHost.ts';
import type { SuiteResult } from './suite/results.ts';

const suite = path.join(projectFolder, 'dist/test/suite/index.js');
/** Brings the language models that the suite talks to. */
const scriptedModels = path.join(projectFolder, 'dist/test/scriptedModels');
const desktop = await findDesktopEditor();

describe('inside the extension host of the served VS Code', () => {
  runsTheSuite(async (env) => {
    const { exitCode, output } = await runInExtensionHost({
      suite,
      env,
      extensions: [scriptedModels],
      timeoutMs: 270_000,
    });
    assert.equal(exitCode, 0, output.slice(-40).join('\n'));
  });
});

if (typeof desktop === 'string') {
  console.error(`No desktop VS Code, as ${desktop}: the suite runs in the served one only.`);
} else {
  console.error(`The suite runs in the served VS Code and in the desktop one, ${desktop.executable}.`);
  describe('inside the extension host of a desktop VS Code', () => {
    runsTheSuite((env) => desktop.run(suite, env, [scriptedModels]));
  });
}

/** A test that runs a host, and one more for each test that ran in there: mocha finds them when this one has ended. */
function runsTheSuite(run: (env: Record<string, string>) => Promise<void>): void {
  it('runs the suite to its end', async function () {
    const folder = mkdtempSync(path.join(tmpdir(), 'suite-'));
    const resultsFile = path.join(folder, 'results.json');
    let failure: unknown;
    try {
      await run({ DEVSQUAD_SUITE_RESULTS: resultsFile });
    } catch (error) {
      failure = error;
    }
    const results = readResults(resultsFile);
    rmSync(folder, { recursive: true });

    for (const result of results) {
      addResult(this.test!.parent!, result);
    }
    // A test that failed in there speaks for itself.
    if (!results.some(({ state }) => state === 'failed')) {
      assert.ifError(failure);
      assert.notEqual(results.length, 0, 'the suite had no tests');
    }
  });
}

function readResults(file: string): readonly SuiteResult[] {
  // Written by our own suite when it ended; there is none when it did not.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly SuiteResult[]) : [];
}

function addResult(parent: Suite, { titles, state, error }: SuiteResult): void {
  const groups = titles.slice(0, -1);
  const group = (groups.length > 0 ? groups : ['the suite']).reduce(
    (outer, name) => outer.suites.find((inner) => inner.title === name) ?? Suite.create(outer, name),
    parent,
  );
  const replay = (): void => {
    if (state === 'failed') {
      throw Object.assign(new Error(error), { stack: error });
    }
  };
  const title = titles.at(-1) ?? 'a test without a name';
  group.addTest(state === 'skipped' ? new Test(title) : new Test(title, replay));
}
