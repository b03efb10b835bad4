import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { endOf, Sandbox } from '../support/headless.ts';

describe('the rehearsal, headless', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(async () => {
    await sandbox.checkTables();
    sandbox.dispose();
  });

  it('plans, builds in parallel, repairs a failed check, and applies a change whose tests are green', async () => {
    sandbox.commitAll();

    const run = await sandbox.rehearse('--apply').finished;

    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(endOf(run).status, 'succeeded');
    assert.equal(run.events.at(-1)?.type, 'squad-idle');
    const failedChecks = run.events.filter(
      ({ type, result }) => type === 'check-ended' && !(result as { passed: boolean }).passed,
    );
    assert.equal(failedChecks.length, 1);
    assert.ok(existsSync(path.join(sandbox.workspace, 'src/routes/tags.js')));
    execFileSync('npm', ['test', '--silent'], { cwd: sandbox.workspace, stdio: 'pipe' });
  });

  it('needs no repository in the folder, works on two tasks at once, and tells events in order, without a gap', async () => {
    const before = sandbox.fingerprint();
    const kept = await sandbox.rehearse().finished;
    assert.equal(endOf(kept).status, 'succeeded', kept.stderr);
    assert.equal(sandbox.fingerprint(), before);

    const { events } = kept;
    let running = 0;
    let most = 0;
    for (const { type, taskId } of events) {
      running += type === 'task-started' && !String(taskId).endsWith('.plan') ? 1 : 0;
      running -= type === 'task-proven' && !String(taskId).endsWith('.plan') ? 1 : 0;
      most = Math.max(most, running);
    }
    assert.equal(most, 2);
    const sequences = events.flatMap(({ sequence }) => (sequence === undefined ? [] : [Number(sequence)]));
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => (sequences[0] ?? 0) + index),
    );
  });

  it('leaves a dirty repository byte-identical until Apply, and takes its uncommitted work along', async () => {
    writeFileSync(path.join(sandbox.workspace, 'ignored.log'), 'x');
    writeFileSync(
      path.join(sandbox.workspace, '.gitignore'),
      `${readFileSync(path.join(sandbox.workspace, '.gitignore'), 'utf8')}\n*.log\n`,
    );
    sandbox.commitAll();
    writeFileSync(path.join(sandbox.workspace, 'stashed.md'), 'stash');
    sandbox.git('stash', '-u');
    writeFileSync(path.join(sandbox.workspace, 'staged.md'), 'staged');
    sandbox.git('add', 'staged.md');
    writeFileSync(path.join(sandbox.workspace, 'staged.md'), 'staged, then changed');
    writeFileSync(path.join(sandbox.workspace, 'untracked file.md'), 'untracked');
    const before = sandbox.fingerprint();

    const kept = await sandbox.rehearse().finished;

    assert.equal(endOf(kept).status, 'succeeded', kept.stderr);
    assert.equal(sandbox.fingerprint(), before);
  });

  it('refuses to apply over a file that the developer changed meanwhile, and writes nothing', async () => {
    sandbox.commitAll();
    const started = sandbox.rehearse('--apply');
    await started.printed(20);
    writeFileSync(path.join(sandbox.workspace, 'src/store.js'), '// mine\n');
    const before = sandbox.fingerprint();

    const run = await started.finished;

    assert.equal(run.exitCode, 1);
    assert.match(run.stderr, /src\/store\.js/);
    assert.equal(sandbox.fingerprint(), before);
  });

  it('hands the result over as a branch on the developer’s commit, and touches nothing else', async () => {
    sandbox.commitAll();
    const files = (): string => sandbox.git('status', '--short') + sandbox.git('rev-parse', 'HEAD');
    const before = files();

    const run = await sandbox.rehearse('--branch', 'devsquad/tags').finished;

    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(files(), before);
    assert.equal(sandbox.git('rev-parse', 'devsquad/tags^{tree}').trim(), endOf(run).tree);
    assert.equal(sandbox.git('rev-parse', 'devsquad/tags~1'), sandbox.git('rev-parse', 'HEAD'));
  });

  it('ends with exit 3 and names the request where a person is needed and nobody is there', async () => {
    const run = await sandbox.run('run', '--workspace', sandbox.workspace, '--json');
    assert.equal(run.exitCode, 3, run.stderr);
    const waiting = run.events.find(({ type }) => type === 'run-waiting');
    assert.equal((waiting?.['requests'] as string[]).length, 1);
    assert.equal(run.events.at(-1)?.type, 'squad-idle');
  });

  it('stops before the budget is passed, keeps the work and says so with exit 4', async () => {
    const run = await sandbox.rehearse('--budget-tokens', '40000').finished;
    assert.equal(run.exitCode, 4, run.stderr);
    assert.equal(endOf(run).status, 'budget-reached');
    const usage = run.events.find(({ type }) => type === 'run-ended')?.['usage'] as { tokens: number };
    assert.ok(usage.tokens <= 40_000);
  });

  it('says what is wrong with its arguments or its folder, with the contract’s exit codes', async () => {
    const codes = await Promise.all([
      sandbox.run('fly'),
      sandbox.run('run', '--workspace', sandbox.workspace, '--frobnicate'),
      sandbox.run('run', 'An objective nobody rehearsed', '--workspace', sandbox.workspace),
      sandbox.run('run', '--workspace', path.join(sandbox.folder, 'nowhere')),
      sandbox.run('run', '--workspace', path.join(sandbox.workspace, 'package.json')),
      sandbox.run('resume', '--workspace', sandbox.workspace, '--json'),
    ]);
    assert.deepEqual(
      codes.map(({ exitCode }) => exitCode),
      [2, 2, 2, 5, 5, 0],
    );
    assert.deepEqual(codes.at(-1)?.events, [{ type: 'squad-idle' }]);
  });

  it('is stopped from another process and taken up again by resume', async () => {
    const started = sandbox.rehearse();
    await started.printed(60);
    const stop = await sandbox.run('stop', '--workspace', sandbox.workspace);
    const stopped = await started.finished;
    const resumed = await sandbox.run('resume', '--workspace', sandbox.workspace, '--json');

    assert.equal(stop.exitCode, 0, stop.stderr);
    assert.equal(stopped.exitCode, 1);
    assert.equal(resumed.exitCode, 0, resumed.stderr);
    assert.equal(endOf(resumed).status, 'succeeded');
    rmSync(path.join(sandbox.folder, 'runtime'), { recursive: true, force: true });
  });
});
