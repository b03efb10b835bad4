import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../scripts/findProgram.ts';
import { Sandbox, type Finished } from '../support/headless.ts';
import { call, finish, inOrder, planTask, playScene, type Line } from '../support/scriptedRun.ts';

const talk = { text: 'Certainly! I shall begin in a moment.' };

describe('a run in which things go wrong', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    sandbox.commitAll();
  });
  afterEach(async () => {
    await sandbox.checkTables();
    sandbox.dispose();
  });

  const eventsOf = ({ events }: Finished, type: string) => events.filter((event) => event.type === type);
  const reasonOf = (run: Finished): string => String(eventsOf(run, 'run-ended')[0]?.['reason']);

  it('hands a conflict of two parallel tasks back to its owner, who resolves it', async () => {
    const edit = (name: string): Line => {
      const edits = [{ oldText: '# Shelf', newText: `# Shelf ${name}` }];
      return (said, answers) =>
        answers === 0
          ? call('apply_edit', { path: 'README.md', edits })
          : said.includes('conflict markers')
            ? call('write_file', { path: 'README.md', content: '# Shelf one and two\n' })
            : finish();
    };
    const tasks = [planTask('one'), planTask('two')];

    const run = await playScene(sandbox, { tasks, lines: { one: edit('one'), two: edit('two') } }, '--apply');

    assert.equal(run.exitCode, 0, run.stderr);
    assert.deepEqual(
      eventsOf(run, 'task-reopened').map(({ cause }) => cause),
      ['conflict'],
    );
    assert.equal(readFileSync(path.join(sandbox.workspace, 'README.md'), 'utf8'), '# Shelf one and two\n');
  });

  it('tries a task again in a fresh worktree and says why, when its model gave up', async () => {
    const line: Line = (_said, answers, conversation) =>
      !conversation.some(({ text }) => text.includes('An earlier try of this task'))
        ? answers === 0
          ? call('write_file', { path: 'left-over.md', content: 'of the first try' })
          : talk
        : inOrder(call('write_file', { path: 'made.md', content: 'in the second try' }), finish())('', answers, []);
    const tasks = [planTask('one', { acceptance: [{ kind: 'files', exist: ['made.md'], absent: ['left-over.md'] }] })];

    const run = await playScene(sandbox, { tasks, lines: { one: line } });

    assert.equal(run.exitCode, 0, run.stderr);
    assert.match(String(eventsOf(run, 'task-retried')[0]?.['reason']), /without calling a tool/);
  });

  it('fails when the second try fails too, cancels what depends on it, and touches nothing', async () => {
    const before = sandbox.fingerprint();
    const tasks = [planTask('one'), planTask('two', { dependsOn: ['one'] })];

    const run = await playScene(sandbox, { tasks, lines: { one: inOrder(talk), two: inOrder(finish()) } }, '--apply');

    assert.equal(run.exitCode, 1);
    assert.match(reasonOf(run), /answered 3 times without calling a tool/);
    assert.equal(eventsOf(run, 'task-cancelled').length, 1);
    assert.equal(sandbox.fingerprint(), before);
  });

  it('ends a command that hangs, and tells the model how one ended', async () => {
    const line = inOrder(
      call('run_command', { command: 'sleep 600', timeoutMs: 500 }),
      call('run_command', { command: 'echo to say; exit 3' }),
      finish(),
    );

    const run = await playScene(sandbox, { tasks: [planTask('one')], lines: { one: line } });

    const results = eventsOf(run, 'tool-call-ended').map(({ result }) => String(result));
    assert.equal(run.exitCode, 0, run.stderr);
    assert.ok(results.some((result) => result.includes('It was ended after 0.5 s.')));
    assert.ok(results.some((result) => /to say\s+Exit code 3\./.test(result)));
  });

  it('shows a command no secret of its own environment', async () => {
    // Without a sandbox a command sees what the system shows of the host's own process.
    const processes = findProgram('bwrap') ? '; cat /proc/*/environ | tr "\\0" "\\n"' : '';
    const look = call('run_command', { command: `env${processes}` });
    const run = await playScene(sandbox, { tasks: [planTask('one')], lines: { one: inOrder(look, finish()) } });
    assert.equal(run.exitCode, 0, run.stderr);
    const looked = eventsOf(run, 'tool-call-ended').find(({ tool }) => tool === 'run_command');
    assert.match(String(looked?.['result']), /^CI=1$/m);
    // The sandbox of the test looks for them when it goes.
  });

  it('says so when a plan wants tests and the workspace has no runner', async () => {
    rmSync(path.join(sandbox.workspace, 'test'), { recursive: true });
    writeFileSync(path.join(sandbox.workspace, 'package.json'), '{ "name": "bare" }\n');
    const tasks = [planTask('one', { acceptance: [{ kind: 'tests' }] })];

    const run = await playScene(sandbox, { tasks, lines: { one: inOrder(finish()) } });

    assert.equal(run.exitCode, 1);
    assert.match(reasonOf(run), /What still failed: .*test/);
  });

  it('refuses a role that nobody has, by name', async () => {
    const tasks = [planTask('one', { role: 'wizard' })];

    const run = await playScene(sandbox, { tasks, lines: {} });

    assert.equal(run.exitCode, 1);
    assert.ok(eventsOf(run, 'tool-call-ended').some(({ result }) => String(result).includes('role')));
  });
});
