import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';
import { call, finish, inOrder, planTask, scriptOf, startScene } from '../support/scriptedRun.ts';
import { ScriptedServer } from '../support/scriptedServer.ts';

/** Characters of a whole conversation that the provider takes, whatever it says of itself. */
const ROOM = 100_000;

describe('a conversation that grows longer than a provider takes', () => {
  it('is told once more, shorter, and the task goes on', async () => {
    const sandbox = new Sandbox();
    const files = Array.from({ length: 6 }, (_, index) => `long/${index}.txt`);
    mkdirSync(path.join(sandbox.workspace, 'long'));
    for (const file of files) {
      writeFileSync(path.join(sandbox.workspace, file), 'A line of a long file.\n'.repeat(1100));
    }
    const script = scriptOf({
      tasks: [planTask('one')],
      lines: {
        one: inOrder(
          ...files.map((file) => call('read_file', { path: file })),
          call('write_file', { path: 'read.txt', content: 'All of it.\n' }),
          finish(),
        ),
      },
    });
    const longest: number[] = [];
    let refused = 0;
    const server = await ScriptedServer.start((request) => {
      const length = JSON.stringify(request.conversation).length;
      longest.push(length);
      if (length > ROOM) {
        refused++;
        return { fault: 'status', status: 400, code: 'context_length_exceeded', message: 'Too long.' };
      }
      return script(request);
    });
    try {
      const { events, exitCode, stderr } = await startScene(sandbox, server).finished;
      assert.equal(exitCode, 0, stderr);
      assert.ok(refused >= 1, `the longest was ${Math.max(...longest)}`);
      const calls = events.filter(({ type }) => type === 'model-call-started');
      assert.ok(calls.some((event) => Number(event['leftOut']) > 0));
      assert.equal(events.filter(({ type }) => type === 'model-call-failed').length, refused);
      const replayed = sandbox.print(
        'replay',
        '--workspace',
        sandbox.workspace,
        '--run',
        String(events[0]?.['runId']),
        '--json',
      );
      assert.match(replayed, /"equal":true/);
    } finally {
      await server.close();
      sandbox.dispose();
    }
  });
});
