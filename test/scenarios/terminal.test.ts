import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';
import { hasTerminal, typeAt } from '../support/pseudoTerminal.ts';

describe('the rehearsal at a terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  (hasTerminal ? it : it.skip)('asks in full words, draws what is, and applies what was allowed', async () => {
    const { output, exitCode, answered } = await typeAt(
      sandbox,
      ['run', '--workspace', sandbox.workspace, '--apply'],
      /(?:should be different|helps the agent\)): /,
      'allow',
    );

    assert.equal(exitCode, 0, output);
    assert.ok(answered >= 5, `${answered} were asked`);
    assert.match(output, /Accept this plan\?[\s\S]*node --test test\/errors\.test\.js/);
    assert.match(output, /testing-1 wants to run a command/);
    assert.match(output, /── working · 0 of 4 proven · [\d,]+ tokens/);
    assert.match(output, /succeeded {2}\(\d+ tokens/);
    assert.ok(existsSync(path.join(sandbox.workspace, 'src/routes/tags.js')));
    await sandbox.checkTables();
  });
});
