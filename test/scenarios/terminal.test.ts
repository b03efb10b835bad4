import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';

/** `script` gives the program a terminal of its own; its options are those of util-linux. */
const hasTerminal = process.platform === 'linux' && existsSync('/usr/bin/script');

describe('the rehearsal at a terminal', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(() => {
    sandbox.dispose();
  });

  (hasTerminal ? it : it.skip)('asks in full words, draws what is, and applies what was allowed', async () => {
    const { output, exitCode, answered } = await answerAll(sandbox);

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

/** Types `allow` at every question. */
function answerAll(sandbox: Sandbox): Promise<{ output: string; exitCode: number | null; answered: number }> {
  const { program, args, env } = sandbox.commandLine('run', '--workspace', sandbox.workspace, '--apply');
  const line = [program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('/usr/bin/script', ['--quiet', '--return', '--flush', '--command', line, '/dev/null'], { env });
  let output = '';
  let answered = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    const questions = output.match(/(?:should be different|helps the agent\)): /g)?.length ?? 0;
    if (questions > answered) {
      answered = questions;
      child.stdin.write('allow\n');
    }
  });
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      resolve({ output, exitCode, answered });
    });
  });
}
