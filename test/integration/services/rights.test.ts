import assert from 'node:assert/strict';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openRequests } from '../../../src/domain/requestState.ts';
import { readJournal } from '../../../src/ledger/journalFile.ts';
import { replayRun } from '../../../src/replay/replay.ts';
import { finish, LifeBench } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

describe('what an agent may do by itself', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  /** One task whose model makes these calls and then finishes; plan, commands and writes are allowed ahead. */
  async function run(calls: readonly { tool: string; args: object }[]): Promise<void> {
    bench = new LifeBench({ tasks: [planTask('one')], say: ({ answers }) => calls[answers] ?? finish });
    writeFileSync(path.join(bench.workspace, '.env'), 'KEY=verysecret\n');
    symlinkSync('.env', path.join(bench.workspace, 'harmless.txt'));
    symlinkSync('/etc', path.join(bench.workspace, 'out'));
    await bench.open();
    await bench.start();
  }

  const waiting = () => openRequests(bench.run()).map(({ id, subject }) => ({ id, subject }));
  const results = (): string[] => bench.of('tool-call-ended').map(({ outcome, result }) => `${outcome}: ${result}`);

  it('is to look: nobody is asked for a command that only reads', async () => {
    await run([{ tool: 'run_command', args: { command: 'git status --short && cat README.md' } }]);
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.ok(!bench.of('request-opened').some(({ request }) => request.subject.kind === 'command'));
    assert.ok(results().some((result) => result.includes('# Here')));
  });

  const PROTECTED = [
    { tool: 'write_file', args: { path: '.vscode/settings.json', content: '{}' }, subject: 'write' },
    { tool: 'write_file', args: { path: 'package.json', content: '{"scripts":{"test":"x"}}' }, subject: 'write' },
    { tool: 'apply_edit', args: { path: '.env', edits: [{ oldText: 'KEY', newText: 'X' }] }, subject: 'write' },
    { tool: 'read_file', args: { path: '.env' }, subject: 'read' },
    { tool: 'read_file', args: { path: 'harmless.txt' }, subject: 'read' },
  ];
  for (const { tool, args, subject } of PROTECTED) {
    it(`is not ${tool} of ${args.path}, whatever is allowed ahead`, async () => {
      await run([{ tool, args }]);
      await bench.until('the question', () => waiting().length === 1);
      const [request] = waiting();
      assert.ok(request?.subject.kind === subject && 'isProtected' in request.subject && request.subject.isProtected);
      assert.ok(!JSON.stringify(bench.events).includes('verysecret'));

      await bench.squad.inbox.answer(request.id, { kind: 'deny' }, 'terminal');
      await bench.ended();
      assert.ok(results().some((result) => result.startsWith('refused: The developer did not allow this')));
      assert.ok(!existsSync(path.join(bench.workspace, '.vscode')));
    });
  }

  it('is nothing that nobody allowed in the time that the run gives, and the agent goes on', async () => {
    const calls = [
      { tool: 'read_file', args: { path: '.env' } },
      { tool: 'run_command', args: { command: 'touch made.txt' } },
    ];
    bench = new LifeBench({ tasks: [planTask('one')], say: ({ answers }) => calls[answers] ?? finish });
    writeFileSync(path.join(bench.workspace, '.env'), 'KEY=verysecret\n');
    await bench.open();
    await bench.start({ approve: ['plan'], requestMinutes: 5 });
    await bench.until('the question', () => waiting().length === 1);
    await bench.ended(20_000);
    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(
      results().filter((result) => result.startsWith('refused')),
      ['read_file', 'run_command'].map(
        () =>
          'refused: The developer did not allow this: Nobody answered within 5 minutes. Find another way, or say in finish_task what you could not do.',
      ),
    );
    const [first] = bench.of('request-expired');
    const opened = bench.of('request-opened').find(({ request }) => request.id === first?.requestId);
    assert.ok(Date.parse(first!.at) - Date.parse(opened!.at) >= 300_000);
    const runId = bench.run().id;
    await bench.end();
    const { events } = await readJournal(bench.storage);
    const { equal, difference } = await replayRun(events, runId, new AbortController().signal);
    assert.ok(equal, JSON.stringify(difference));
  });

  it('is nothing that whoever starts a run brings along as a rule', async () => {
    const subject = { kind: 'command' as const, command: 'touch x', cwd: '.', why: '' };
    const rule = { id: 'r', what: 'same' as const, subject, effect: 'e', until: '2999-01-01T00:00:00.000Z' };
    bench = new LifeBench({ tasks: [planTask('one')] });
    await bench.open();
    await bench.start({ rules: [rule] });
    assert.deepEqual(bench.run().rules, []);
    await bench.ended();
  });

  it('is not to leave the workspace, nor to ruin the machine: both are refused without a question', async () => {
    await run([
      { tool: 'read_file', args: { path: 'out/hostname' } },
      { tool: 'read_file', args: { path: '../../etc/hosts' } },
      { tool: 'run_command', args: { command: 'sudo rm -rf /*' } },
    ]);
    await bench.ended();
    const refused = results().filter((result) => result.startsWith('refused'));
    assert.equal(refused.length, 3, results().join('\n'));
    assert.match(refused[0] ?? '', /outside the workspace/);
    assert.match(refused[2] ?? '', /would delete the machine/);
    assert.ok(!bench.of('request-opened').some(({ request }) => request.subject.kind !== 'plan'));
  });

  it('is not to find secrets by searching for them', async () => {
    await run([
      { tool: 'search_text', args: { query: 'verysecret' } },
      { tool: 'search_text', args: { query: 'Here' } },
    ]);
    await bench.ended();
    assert.ok(
      results().some((result) => result === 'ok: Nothing found.'),
      results().join('\n'),
    );
    assert.ok(results().some((result) => result.includes('README.md:1:# Here')));
  });
});
