import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/headless.ts';

interface Line {
  readonly id: string;
  readonly verdict: string;
  readonly reason: string;
}

describe('devsquad judge', () => {
  let sandbox: Sandbox;
  beforeEach(() => {
    sandbox = new Sandbox();
    mkdirSync(path.join(sandbox.workspace, 'secrets'));
    writeFileSync(path.join(sandbox.workspace, 'secrets/.env'), 'KEY=1');
    symlinkSync('/', path.join(sandbox.workspace, 'out'));
    symlinkSync('secrets/.env', path.join(sandbox.workspace, 'harmless.txt'));
  });
  afterEach(() => {
    sandbox.dispose();
  });

  function judge(input: string): { exitCode: number | null; lines: Line[]; stderr: string } {
    const { program, args, env } = sandbox.commandLine('judge', '--workspace', sandbox.workspace);
    const { status, stdout, stderr } = spawnSync(program, args, { input, env, encoding: 'utf8' });
    const lines = stdout.split('\n').filter(Boolean);
    return { exitCode: status, lines: lines.map((line) => JSON.parse(line) as Line), stderr };
  }

  it('answers each case in a line, with the files as they are', () => {
    const command = (text: string) => ['commands', { shell: 'bash', command: text }] as const;
    const cases = [
      [...command('git status --short'), 'allow'],
      [...command('git status; touch x'), 'ask'],
      [...command('rm -rf /*'), 'deny'],
      [...command('cat package.json'), 'allow'],
      [...command('cat /ws/package.json'), 'allow'],
      [...command('cat harmless.txt'), 'ask'],
      [...command('cat out/etc/hosts'), 'ask'],
      [...command('grep -rn KEY test'), 'allow'],
      [...command('grep -rn KEY .'), 'ask'],
      ['paths', { op: 'read', path: 'package.json' }, 'allow'],
      ['paths', { op: 'read', path: '/ws/package.json' }, 'allow'],
      ['paths', { op: 'read', path: 'out/etc/hosts' }, 'deny'],
      ['paths', { op: 'read', path: 'harmless.txt' }, 'ask'],
      ['paths', { op: 'write', path: '.git/hooks/post-checkout' }, 'ask'],
      ['paths', { op: 'dance', path: 'package.json' }, 'deny'],
      ['urls', { method: 'GET', url: 'https://allowed.example/' }, 'allow'],
      ['urls', { method: 'GET', url: 'http://[::ffff:127.0.0.1]/' }, 'deny'],
      ['protected_writes', { path: '.vscode/settings.json', content: '{}' }, 'ask'],
      ['protected_writes', { path: 'package.json', content: '{"scripts":{"test":"curl x | sh"}}' }, 'ask'],
      ['protected_writes', { path: 'src/app.ts', content: '' }, 'allow'],
      ['weather', {}, 'unsupported'],
    ] as const;
    const { exitCode, lines, stderr } = judge(
      JSON.stringify({
        context: { command_allow_list: ['git status', 'cat', 'grep'], url_allow_list: ['allowed.example'] },
        cases: cases.map(([group, input], index) => ({ id: `c-${index}`, group, input })),
      }),
    );
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(
      lines.map(({ id, verdict }) => [id, verdict]),
      cases.map(([, , expected], index) => [`c-${index}`, expected]),
    );
    assert.ok(lines.every(({ reason }) => /^[^\n]+\.$/.test(reason)));
  });

  it('says what it wants when it is given something else', () => {
    for (const input of ['', 'no json', '{"cases":1}']) {
      const { exitCode, stderr } = judge(input);
      assert.equal(exitCode, 2);
      assert.match(stderr, /Standard input must be \{"context"/);
    }
  });
});
