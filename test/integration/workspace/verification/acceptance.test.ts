import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AcceptanceCheck } from '../../../../src/domain/proof.ts';
import { Processes } from '../../../../src/workspace/processes.ts';
import { runCheck } from '../../../../src/workspace/verification/acceptance.ts';
import { findTestCommand } from '../../../../src/workspace/verification/testCommand.ts';
import {
  AT,
  deleteTemporaryFolders,
  never,
  repositoryWith,
  runOn,
  systemClock,
  temporaryFolder,
  write,
} from '../support.ts';

const processes = new Processes({ clock: systemClock });

describe('acceptance', () => {
  afterEach(deleteTemporaryFolders);

  /** Seeds `files`, changes them as a task would, and runs a check on the outcome in a fresh checkout. */
  async function check(
    wanted: AcceptanceCheck,
    files: Record<string, string>,
    changes: Record<string, string> = {},
    timeoutMs?: number,
  ) {
    const run = runOn(repositoryWith({ keep: '', ...files }));
    const seed = await run.seed({ at: AT }, never);
    write(await run.addWorktree('one', seed.commit, never), changes);
    const { commit, tree } = await run.commitWorktree('one', seed.commit, { message: 'task', at: AT }, never);
    const checkoutRoot = await run.checkout('one', commit, never);
    const base = {
      check: wanted,
      index: 2,
      stage: 'task' as const,
      checkoutRoot,
      repository: run,
      base: seed.commit,
      tree,
    };
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    const result = await runCheck({ ...base, processes, effect: 'test.check', ...limit }, never);
    assert.deepEqual([result.index, result.stage, result.tree], [2, 'task', tree]);
    return result;
  }

  describe('by a command', () => {
    it('passes on the expected exit code, in the exact tree', async () => {
      const good = await check({ kind: 'command', command: 'cat a; ls' }, { a: 'old\n' }, { a: 'new\n' });
      assert.deepEqual([good.passed, good.summary, good.output], [true, 'cat a; ls: exit code 0', 'new\na\nkeep\n']);
      const wanted = await check({ kind: 'command', command: 'exit 3', expectExit: 3 }, {});
      assert.deepEqual([wanted.passed, wanted.summary], [true, 'exit 3: exit code 3']);
    });

    it('fails on any other', async () => {
      const bad = await check({ kind: 'command', command: 'echo why; exit 1' }, {});
      assert.deepEqual([bad.passed, bad.summary, bad.output], [false, 'echo why; exit 1: exit code 1', 'why\n']);
      const zero = await check({ kind: 'command', command: 'true', expectExit: 3 }, {});
      assert.deepEqual([zero.passed, zero.summary], [false, 'true: exit code 0, and 3 was expected']);
      const killed = await check({ kind: 'command', command: 'kill -9 $$' }, {});
      assert.deepEqual([killed.passed, killed.summary], [false, 'kill -9 $$: ended by SIGKILL']);
    });

    it('names the time limit when it hangs', async () => {
      const result = await check({ kind: 'command', command: 'echo begun; sleep 60' }, {}, {}, 300);
      assert.deepEqual([result.passed, result.output], [false, 'begun\n']);
      assert.equal(result.summary, 'echo begun; sleep 60: not finished within the time limit of 1 s');
    });

    it('keeps the last lines of a long output', async () => {
      const { output } = await check({ kind: 'command', command: 'seq 1 100000' }, {});
      assert.ok(output.length <= 8000);
      assert.match(output, /^\d+\n[^]*\n100000\n$/);
    });
  });

  describe('by tests', () => {
    const test = 'node --test';
    const passing = `import test from 'node:test'; test('one thing', () => {}); test('other', () => {});`;
    const failing = `${passing} test('bad', () => { throw new Error('no') });`;
    const withTests = (content: string, script = test) => ({
      'package.json': JSON.stringify({ type: 'module', scripts: { test: script } }),
      'a.test.js': content,
    });

    it('passes when tests ran and none failed', async () => {
      const result = await check({ kind: 'tests' }, withTests(passing));
      assert.deepEqual([result.passed, result.summary], [true, 'all tests: 2 passed, 0 failed (node:test)']);
    });

    it('fails when one failed', async () => {
      const result = await check({ kind: 'tests' }, withTests(failing));
      assert.deepEqual(
        [result.passed, result.summary],
        [false, 'all tests: 2 passed, 1 failed (node:test), exit code 1'],
      );
    });

    it('fails when one failed although the script says all is well', async () => {
      const result = await check({ kind: 'tests' }, withTests(failing, 'node --test || true'));
      assert.deepEqual([result.passed, result.summary], [false, 'all tests: 2 passed, 1 failed (node:test)']);
    });

    it('fails when no test ran', async () => {
      const none = await check(
        { kind: 'tests' },
        { ...withTests(''), 'a.test.js': '', 'package.json': '{"scripts":{"test":"node --test nothing/**"}}' },
      );
      assert.deepEqual([none.passed, none.summary.replace(/\(.*/, '')], [false, 'all tests: no test ran ']);
      const skipped = await check(
        { kind: 'tests' },
        withTests(`import test from 'node:test'; test('a', { skip: true }, () => {});`),
      );
      assert.equal(skipped.passed, false);
    });

    it('runs those that a filter names, and fails when it names none', async () => {
      const one = await check({ kind: 'tests', filter: 'one thing' }, withTests(failing));
      assert.deepEqual([one.passed, one.summary], [true, 'tests matching "one thing": 1 passed, 0 failed (node:test)']);
      const none = await check({ kind: 'tests', filter: `it's "no" $(touch x)` }, withTests(passing));
      assert.deepEqual([none.passed, none.summary.includes('no test ran')], [false, true]);
    });

    it('goes by the exit code where it does not know the report, and says so', async () => {
      const result = await check({ kind: 'tests' }, withTests('', 'echo fine'));
      assert.equal(result.passed, true);
      assert.match(result.summary, /exit code 0; the runner's report was not recognised/);
      assert.equal((await check({ kind: 'tests' }, withTests('', 'echo bad; exit 2'))).passed, false);
    });

    it('fails with a sentence where there are none', async () => {
      const placeholder = JSON.stringify({ scripts: { test: 'echo "Error: no test specified" && exit 1' } });
      for (const files of [{}, { 'package.json': '{}' }, { 'package.json': 'no' }, { 'package.json': placeholder }]) {
        const result = await check({ kind: 'tests' }, files);
        assert.equal(result.passed, false);
        assert.match(result.summary, /^No test command found: .*\.$/);
      }
    });

    it('hands a filter to each runner in its own way, as one word', async () => {
      const root = temporaryFolder();
      const commandFor = async (script: string, filter: string) => {
        write(root, { 'package.json': JSON.stringify({ scripts: { test: script } }) });
        const found = await findTestCommand(root, filter);
        return found.kind === 'found' && found.command;
      };
      assert.equal(await commandFor('mocha', "it's"), `npm test --silent -- --grep 'it'\\''s'`);
      assert.equal(await commandFor('vitest run', 'a b'), `npm test --silent -- -t 'a b'`);
      assert.equal(await commandFor('tap', '$(touch x)'), `npm test --silent -- '$(touch x)'`);
      const forNode = await commandFor('node --test', 'a"b');
      assert.equal(forNode, `npm test --silent --node-options='--test-name-pattern="a\\"b"'`);
      assert.equal(existsSync(join(root, 'x')), false);
    });
  });

  describe('by files', () => {
    it('passes when all is as it must be', async () => {
      const wanted = {
        kind: 'files' as const,
        exist: ['src/a', './src/', 'new'],
        absent: ['gone', 'src/b'],
        unchanged: ['src/**', '*.md'],
      };
      const result = await check(wanted, { 'src/a': '1' }, { new: '1' });
      assert.deepEqual(
        [result.passed, result.summary],
        [true, 'exists: src/a, ./src/, new · absent: gone, src/b · unchanged: src/**, *.md'],
      );
    });

    it('names everything that is not', async () => {
      const wanted = {
        kind: 'files' as const,
        exist: ['no', '../out', '/etc/passwd'],
        absent: ['src/a'],
        unchanged: ['src'],
      };
      const result = await check(wanted, { 'src/a': '1', 'src/.b': '1' }, { 'src/.b': '2', other: '1' });
      assert.equal(result.passed, false);
      assert.deepEqual(result.output.trim().split('\n'), [
        '../out is no path inside the workspace',
        '/etc/passwd is no path inside the workspace',
        'no is missing',
        'src/a exists',
        'src/.b was changed',
      ]);
    });

    it('looks at the tree and not at the disk', async () => {
      const result = await check(
        { kind: 'files', absent: ['ignored'] },
        { '.gitignore': 'ignored\n' },
        { ignored: '1' },
      );
      assert.equal(result.passed, true);
    });
  });
});
