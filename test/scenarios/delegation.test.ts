import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox, type Finished } from '../support/headless.ts';
import {
  call,
  finish,
  inOrder,
  planTask,
  playScene,
  serveScene,
  startScene,
  type Line,
} from '../support/scriptedRun.ts';

const write = (file: string) => call('write_file', { path: file, content: `${file}\n` });
const handOn = (title: string, fields: Record<string, unknown> = {}) =>
  call('delegate_task', { title, description: 'Do it.', role: 'coding', writes: ['**'], ...fields });

/** Hands two parts on, of which the second fails, then reports it. */
const parent: Line = (said, answers) =>
  answers === 0
    ? handOn('The part that works', { acceptance: [{ kind: 'files', exist: ['part.md'] }] })
    : answers === 1
      ? handOn('The part that fails')
      : answers === 2
        ? finish()
        : said.includes('which you handed on, ended') || answers > 3
          ? call('finish_task', { summary: 'The second part failed; the first one is there.' })
          : finish();
const scene = {
  tasks: [planTask('one', { acceptance: [{ kind: 'files', exist: ['part.md'] }] })],
  lines: {
    one: parent,
    'one-1': inOrder(write('part.md'), finish()),
    'one-2': inOrder({ text: 'I would rather not.' }),
  },
};

describe('a task that hands parts of it on', () => {
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
  const responses = (run: Finished) =>
    eventsOf(run, 'message-sent').flatMap(({ message }) => {
      const { content, receiver } = message as { content: Record<string, unknown>; receiver: { id: string } };
      const name = String(content['taskId']).split('.').at(-1) ?? '';
      return content['kind'] === 'task-response' && name.startsWith('one-')
        ? [`${name} ${String(content['outcome'])} to ${receiver.id}`]
        : [];
    });

  function checkStory(run: Finished): void {
    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(readFileSync(path.join(sandbox.workspace, 'part.md'), 'utf8'), 'part.md\n');
    assert.deepEqual(responses(run).sort(), ['one-1 proven to coding-1', 'one-2 failed to coding-1']);
    const claims = eventsOf(run, 'task-claimed').filter(({ taskId }) => String(taskId).endsWith('.one'));
    assert.match(String(claims.at(-1)?.['summary']), /The second part failed/);
  }

  for (const agents of [1, 4]) {
    it(`hears of each end once and reports the failed one, with ${agents} at work at most`, async () => {
      const run = await playScene(sandbox, scene, '--apply', '--max-agents', String(agents));
      checkStory(run);
      assert.equal(eventsOf(run, 'task-split').length, 1);
      assert.equal(eventsOf(run, 'task-rejoined').length, 1);
    });
  }

  it('takes back what is open when it gives up, and a process of it ends', async () => {
    const tasks = [planTask('one')];
    const givesUp: Line = (_said, answers) => (answers === 0 ? handOn('A long part') : { text: 'I give up.' });
    const part = inOrder(call('run_command', { command: 'sleep 600' }));
    const parts = Array.from({ length: 9 }, (_, index) => [`one-${index + 1}`, part]);
    const lines = { one: givesUp, ...(Object.fromEntries(parts) as Record<string, Line>) };

    const run = await playScene(sandbox, { tasks, lines });

    assert.equal(run.exitCode, 1);
    const named = (type: string): string[] =>
      eventsOf(run, type).map(({ taskId }) => String(taskId).split('.').at(-1) ?? '');
    const made = named('task-created').filter((key) => key.startsWith('one-'));
    assert.ok(made.length >= 2, 'each try hands on');
    assert.deepEqual(named('task-cancelled').sort(), made.toSorted());
    assert.deepEqual(
      responses(run).sort(),
      made.map((key) => `${key} cancelled to runtime`),
    );
  });

  it('goes on after kill -9 while it waits', async () => {
    const server = await serveScene(scene);
    try {
      const first = startScene(sandbox, server, '--apply', '--max-agents', '1');
      await first.printed('"task-split"');
      first.process.kill('SIGKILL');
      await first.finished;
      const run = await sandbox.run('resume', '--workspace', sandbox.workspace, '--json');
      assert.equal(run.exitCode, 0, run.stderr);
      assert.ok(existsSync(path.join(sandbox.workspace, 'part.md')));
      assert.equal(eventsOf(run, 'task-split').length, 0);
      assert.deepEqual(responses(run).sort(), ['one-1 proven to coding-1', 'one-2 failed to coding-1']);
    } finally {
      await server.close();
    }
  });
});
