import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';
import { call, finish, inOrder, planTask, serveScene, startScene } from '../support/scriptedRun.ts';

/** Clears a screen, sets a title, writes elsewhere, in one byte and in two, and turns the rest of the line round. */
const STEERING = '\u001b[2J\u001b]0;owned\u0007\u009b31m\r\u202Egnp.exe\u0000';
// eslint-disable-next-line no-control-regex -- these very characters are looked for
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u;

describe('texts that would steer a terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    sandbox.commitAll();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  it('reach none, whoever says them, nor what a model is told of a command', async () => {
    writeFileSync(path.join(sandbox.workspace, 'hostile.txt'), `before ${STEERING} after\n`);
    const one = planTask('one', { title: `Title ${STEERING}`, description: `Description ${STEERING}` });
    const server = await serveScene({
      tasks: [one],
      lines: {
        one: inOrder(
          call('report_progress', { note: `Note ${STEERING}` }),
          call('run_command', { command: 'cat hostile.txt; printf "\\033[2Jerror\\n" >&2; false' }),
          call('read_file', { path: `gone ${STEERING}` }),
          call('ask_human', { question: `Question ${STEERING}\nrun-9  succeeded  Another line` }),
          finish(),
        ),
      },
    });
    try {
      const { exitCode, stderr, events } = await startScene(sandbox, server).finished;
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, /Note ⟨U\+001B⟩\[2J/);
      assert.doesNotMatch(stderr, STEERS);
      const results = events.filter(({ type }) => type === 'tool-call-ended').map(({ result }) => String(result));
      const ran = results.find((result) => result.includes('after'));
      assert.match(ran ?? '', /before .*gnp\.exe after/s);
      // eslint-disable-next-line no-control-regex -- these very characters are looked for
      assert.doesNotMatch(ran ?? '', /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    } finally {
      await server.close();
    }

    for (const verb of ['status', 'inbox']) {
      const printed = sandbox.print(verb);
      assert.match(printed, /⟨U\+001B⟩/, verb);
      assert.doesNotMatch(printed, STEERS, verb);
      // Nothing that a model says looks like a line of its own.
      assert.doesNotMatch(printed, /^run-9 /m, verb);
      const json = sandbox.print(verb, '--json');
      assert.doesNotMatch(json, STEERS, `${verb} --json`);
      assert.ok(json.includes('\\u202e'));
      assert.ok(JSON.stringify(JSON.parse(json.split('\n')[0] ?? '')).includes('\u202Egnp'));
    }
  });
});
