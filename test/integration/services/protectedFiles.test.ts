import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DeepReadonly } from '../../../src/base/deepReadonly.ts';
import type { RequestSubject } from '../../../src/domain/approval.ts';
import { openRequests } from '../../../src/domain/requestState.ts';
import { finish, LifeBench } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

const PACKAGE = '{\n  "scripts": { "test": "node --test" },\n  "dependencies": {}\n}\n';
const bash = (command: string) => ({ tool: 'run_command', args: { command } });

describe('a protected file that a command changed, which was allowed', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  /** One task whose model makes these calls and then finishes; plan, commands and writes are allowed ahead. */
  async function run(calls: readonly { tool: string; args: object }[]): Promise<void> {
    bench = new LifeBench({ tasks: [planTask('one')], say: ({ answers }) => calls[answers] ?? finish });
    mkdirSync(path.join(bench.workspace, '.vscode'));
    writeFileSync(path.join(bench.workspace, '.vscode/settings.json'), '{}\n');
    writeFileSync(path.join(bench.workspace, 'package.json'), PACKAGE);
    await bench.open();
    await bench.start();
  }

  async function asked(): Promise<DeepReadonly<Extract<RequestSubject, { kind: 'changes' }>> & { id: string }> {
    await bench.until('the question', () => openRequests(bench.run()).length === 1);
    const [request] = openRequests(bench.run());
    assert.ok(request?.subject.kind === 'changes', JSON.stringify(request));
    return { ...request.subject, id: request.id };
  }

  const answer = (id: string, kind: 'allow' | 'deny'): Promise<void> =>
    bench.squad.inbox.answer(id, { kind }, 'terminal');
  const result = (): string => bench.of('tool-call-ended').find(({ tool }) => tool === 'run_command')?.result ?? '';
  const inResult = (): string[] => (bench.run().diff?.files ?? []).map(({ path: file }) => file);
  const inWorktree = (file: string): string => path.join(bench.worktree('one'), file);

  it('is put back before anybody is asked, and shown with every line that it changed', async () => {
    await run([bash('echo \'{"task.allowAutomaticTasks":"on"}\' > .vscode/settings.json; echo new > plain.txt')]);
    const { id, command, changes } = await asked();

    assert.match(command, /^echo/);
    assert.deepEqual(changes, [
      {
        path: '.vscode/settings.json',
        why: '.vscode/settings.json is a setting of an editor.',
        texts: { before: '{}\n', after: '{"task.allowAutomaticTasks":"on"}\n' },
      },
    ]);
    assert.equal(readFileSync(inWorktree('.vscode/settings.json'), 'utf8'), '{}\n');
    assert.equal(readFileSync(inWorktree('plain.txt'), 'utf8'), 'new\n');

    await answer(id, 'deny');
    await bench.ended();
    assert.match(result(), /protected.*put back: \.vscode\/settings\.json\..*The developer did not allow it/s);
    assert.deepEqual(inResult(), ['plain.txt']);
  });

  it('is changed after all when a person allows it, and asked about again when it changes once more', async () => {
    await run([bash('printf one > .editorconfig'), bash('printf two > .editorconfig')]);
    const first = await asked();
    assert.deepEqual(first.changes[0]?.texts, { after: 'one' });
    await answer(first.id, 'allow');

    await bench.until('the next question', () => openRequests(bench.run())[0]?.id !== first.id);
    const second = await asked();
    assert.deepEqual(second.changes[0]?.texts, { before: 'one', after: 'two' });
    assert.equal(readFileSync(inWorktree('.editorconfig'), 'utf8'), 'one');
    await answer(second.id, 'deny');
    await bench.ended();
    assert.match(result(), /allowed it/);
    assert.deepEqual(inResult(), ['.editorconfig']);
  });

  it('is asked about once more after the host went away with the question open, and nothing is lost', async () => {
    await run([bash('printf one > .editorconfig')]);
    const { id } = await asked();
    await bench.end();
    await bench.open();
    bench.squad.runs.resumeInterrupted();
    assert.equal((await asked()).id, id);
    await answer(id, 'allow');
    await bench.ended();
    assert.match(result(), /host was restarted.*allowed it/s);
    assert.deepEqual(inResult(), ['.editorconfig']);
    assert.equal(bench.of('changes-held-back').length, 1);
  });

  it('is nobody’s question when nothing in it that runs was changed', async () => {
    await run([bash(`sed -i 's/"dependencies": {}/"dependencies": { "left-pad": "1.0.0" }/' package.json`)]);
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(inResult(), ['package.json']);
    assert.equal(bench.of('changes-held-back').length, 0);
  });

  it('is back when it was deleted, replaced by a link, or by a folder', async () => {
    await run([bash('rm package.json; ln -s /etc/passwd .npmrc; rm -r .vscode; ln -s /tmp .vscode')]);
    const { id, changes } = await asked();
    // A link cannot be shown, so it is not offered.
    assert.deepEqual(
      changes.map(({ path: file }) => file),
      ['.vscode/settings.json', 'package.json'],
    );
    assert.equal(readFileSync(inWorktree('package.json'), 'utf8'), PACKAGE);
    assert.equal(readFileSync(inWorktree('.vscode/settings.json'), 'utf8'), '{}\n');
    assert.ok(!existsSync(inWorktree('.npmrc')));
    await answer(id, 'deny');
    await bench.ended();
    assert.deepEqual(inResult(), []);
    assert.ok(!existsSync('/tmp/settings.json'));
  });

  it('is handed in as a tool wrote it, when just that was allowed, however its path was put', async () => {
    await run([{ tool: 'write_file', args: { path: './.vscode/../.editorconfig', content: 'one' } }]);
    await bench.until('the question', () => openRequests(bench.run()).length === 1);
    const [request] = openRequests(bench.run());
    assert.ok(request?.subject.kind === 'write');
    assert.equal(request.subject.path, '.editorconfig');
    await answer(request.id, 'allow');
    await bench.ended();
    assert.deepEqual(inResult(), ['.editorconfig']);
    assert.equal(bench.of('changes-held-back').length, 0);
  });

  it('is found at the end when it was ignored while the command ran, and not handed in', async () => {
    await run([
      bash('echo .npmrc > .gitignore; printf evil > .npmrc'),
      { tool: 'write_file', args: { path: '.gitignore', content: '\n' } },
    ]);
    await bench.ended();
    assert.deepEqual(inResult(), ['.gitignore']);
    const [reopened] = bench.of('task-reopened');
    assert.equal(reopened?.cause, 'protected');
    assert.match(reopened.detail, /put back: \.npmrc/);
  });
});
