import assert from 'node:assert/strict';
import { parseCommandLine } from '../../../src/node/commandLine.ts';

describe('the command line', () => {
  const run = (...more: string[]) => parseCommandLine(['run', 'Do it', '--workspace', '.', ...more]);

  it('runs commands in a sandbox unless it is told not to', () => {
    assert.equal(run().sandbox, true);
    assert.equal(run('--no-sandbox').sandbox, false);
  });

  it('takes a second model at the address of the first, and at no other', () => {
    const openai = ['--model', 'openai', '--model-name', 'first', '--base-url', 'http://127.0.0.1:1/v1'];
    const { fallback } = run(...openai, '--fallback-model', 'second');
    assert.deepEqual(fallback, { door: 'openai', name: 'second', baseUrl: 'http://127.0.0.1:1/v1' });
    assert.equal(run(...openai).fallback, undefined);
    assert.throws(() => run('--fallback-model', 'second'), /--fallback-model goes with --model openai/);
  });

  it('takes models of roles at the address of the first, and says which roles there are', () => {
    const openai = ['--model', 'openai', '--model-name', 'first', '--base-url', 'http://127.0.0.1:1/v1'];
    const { roleModels } = run(...openai, '--role-model', 'planning=large', '--role-model', 'testing=small=1');
    const baseUrl = 'http://127.0.0.1:1/v1';
    assert.deepEqual(roleModels, {
      planning: { door: 'openai', name: 'large', baseUrl },
      testing: { door: 'openai', name: 'small=1', baseUrl },
    });
    assert.equal(run(...openai).roleModels, undefined);
    for (const wrong of ['cooking=large', 'planning', 'planning=', '=large']) {
      assert.throws(() => run(...openai, '--role-model', wrong), /ROLE=NAME with a role of planning, coding/, wrong);
    }
    assert.throws(() => run('--role-model', 'coding=large'), /--role-model goes with --model openai/);
  });
});
