/** What a person at a terminal allows beyond one call, sees again and takes back. */
import assert from 'node:assert/strict';
import { Sandbox } from '../support/headless.ts';
import { hasTerminal, typeAt } from '../support/pseudoTerminal.ts';
import { call, finish, inOrder, planTask, serveScene } from '../support/scriptedRun.ts';

describe('rules at a terminal', () => {
  (hasTerminal ? it : it.skip)('are chosen from a list, saved by a word, listed, and taken back', async () => {
    const sandbox = new Sandbox();
    const { workspace } = sandbox;
    const touch = call('run_command', { command: 'touch made.txt' });
    const server = await serveScene({ tasks: [planTask('one')], lines: { one: inOrder(touch, touch, finish()) } });
    const door = ['--model', 'openai', '--base-url', server.baseUrl, '--model-name', 'scripted'];
    const rules = (...more: string[]): string => sandbox.print('rules', ...more, '--workspace', workspace);
    try {
      const { output, exitCode, answered } = await typeAt(
        sandbox,
        ['run', 'A story', '--workspace', workspace, '--approve', 'plan,writes', ...door],
        /helps the agent\): |to go back: |"save" to save it: /,
        (question) => (question.includes('helps') ? 'more' : question.includes('back') ? '3' : 'save'),
      );
      assert.equal(exitCode, 0, output);
      assert.equal(answered, 3, 'asked once, for two calls');
      assert.match(
        output,
        /3 {2}Allow touch made\.txt, (?:in the|without a) sandbox, as a rule of this workspace for 30 days/,
      );
      const [, id = ''] = /^(rule-\S+) {2}Allow touch made\.txt/.exec(rules()) ?? [];
      assert.match(id, /^rule-/, rules());
      rules(id);
      assert.match(rules(), /There are no rules/);
    } finally {
      await server.close();
      sandbox.dispose();
    }
  });
});
