/** What a workspace's own policy makes stricter, and what a person lists, in whole runs from the terminal. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox, type Finished } from '../support/headless.ts';
import { call, finish, inOrder, planTask, playScene, type Scene } from '../support/scriptedRun.ts';

const command = (text: string) => call('run_command', { command: text });

describe('the policy of a run', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  const writePolicy = (text: string): void => {
    mkdirSync(path.join(sandbox.workspace, '.devsquad'), { recursive: true });
    writeFileSync(path.join(sandbox.workspace, '.devsquad/policy.json'), text);
  };
  const resultsOf = ({ events }: Finished): string[] =>
    events.flatMap((event) => (event.type === 'tool-call-ended' ? [String(event['result'])] : []));

  it('is the workspace’s where that is stricter, whatever is approved ahead', async () => {
    writePolicy('{"refuse": ["git push"], "ask": ["npm publish"]}');
    const scene: Scene = {
      tasks: [planTask('one')],
      lines: { one: inOrder(command('git push origin main'), command('npm publish'), finish()) },
    };
    const ended = await playScene(sandbox, scene, '--approve', 'all');
    // It waits for a person, who is not there.
    assert.equal(ended.exitCode, 3, ended.stderr);
    assert.ok(
      resultsOf(ended).some((text) => text.includes('The policy of this workspace refuses git push.')),
      resultsOf(ended).join('\n'),
    );
    const waits = ended.events.filter(({ type }) => type === 'request-opened').at(-1);
    assert.match(JSON.stringify(waits), /"command":"npm publish".*"isProtected":true/);
  });

  it('refuses a plan with a check that nobody runs here', async () => {
    writePolicy('{"refuse": ["make"]}');
    const check = (text: string) => [{ kind: 'command', command: text }];
    const scene: Scene = { tasks: [planTask('one', { acceptance: check('make check') })], lines: {} };
    const ended = await playScene(sandbox, scene);
    assert.equal(ended.exitCode, 1, ended.stderr);
    assert.ok(resultsOf(ended).some((text) => text.includes('The check "make check" is not run, whoever asks for it')));
    assert.ok(!ended.events.some(({ type }) => type === 'check-ended'));
  });

  it('is the person’s list for what needs no question', async () => {
    const scene: Scene = {
      tasks: [planTask('one')],
      lines: { one: inOrder(command('npm test'), command('touch made.txt'), finish()) },
    };
    const ended = await playScene(sandbox, scene, '--approve', 'plan,writes', '--allow-command', 'npm test');
    assert.equal(ended.exitCode, 3, ended.stderr);
    const asked = ended.events.filter(({ type }) => type === 'request-opened').map((event) => JSON.stringify(event));
    assert.match(asked.at(-1) ?? '', /touch made\.txt/);
    assert.ok(!asked.some((text) => text.includes('npm test')));
    assert.equal(resultsOf(ended).filter((text) => text.includes('Exit code 0.')).length, 1, 'npm test ran');
  });

  it('keeps a run from beginning where it is not understood', async () => {
    writePolicy('{"allow": ["rm"]}');
    const ended = await playScene(sandbox, { tasks: [planTask('one')], lines: {} });
    assert.equal(ended.exitCode, 1, ended.stderr);
    assert.match(ended.stderr, /policy that is not understood: \.devsquad\/policy\.json/);
    assert.deepEqual(ended.events, []);
  });
});
