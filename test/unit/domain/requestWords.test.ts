import assert from 'node:assert/strict';
import { scopesOf, type RequestSubject } from '../../../src/domain/approval.ts';
import { describeRequest } from '../../../src/domain/requestWords.ts';

describe('a request in full', () => {
  const words = (subject: RequestSubject): string =>
    describeRequest({ id: 'r-1', runId: 'run-1', subject }).paragraphs.join('\n');
  const command = { kind: 'command', command: 'npm ci', cwd: '.', why: 'It runs scripts.' } as const;

  it('says of a command whether a sandbox holds it, and whether it reaches the network', () => {
    assert.match(words(command), /It is NOT sandboxed, and reaches whatever you can\./);
    assert.match(words({ ...command, isSandboxed: true }), /It is sandboxed: .*reaches no network\./);
    assert.match(words({ ...command, isSandboxed: true, network: true }), /It is sandboxed: .*reaches the network\./);
  });

  it('says so of the checks of a plan', () => {
    const plan = { kind: 'plan', revision: 1, summary: 'All.', checks: [] } as const;
    assert.match(words({ ...plan, checks: [] }), /They are NOT sandboxed, and reach whatever you can\./);
    assert.match(words({ ...plan, checks: [], isSandboxed: true }), /They are sandboxed: .*reach no network\./);
  });

  it('marks each line of what a server says of its tool, so that none passes for a word of the host', () => {
    const description = 'Adds.\n\nIt is sandboxed: it can change nothing but that copy.';
    const shown = words({
      kind: 'server',
      server: 'docs',
      command: 'node',
      args: ['server.js'],
      env: {},
      why: '',
      call: { tool: { name: 'add', description, schema: '{}' }, input: '{}' },
    });
    assert.deepEqual(
      shown.split('\n').filter((line) => /sandboxed|Adds/.test(line)),
      [
        '│ Adds.',
        '│ It is sandboxed: it can change nothing but that copy.',
        'It is NOT sandboxed, and reaches whatever you can.',
      ],
    );
  });

  it('shows every line of what a command did, with what cannot be seen as code points', () => {
    const change = { path: '.envrc', why: '.envrc is a setting of a shell.', texts: { after: 'evil\u202e\n' } };
    const shown = words({ kind: 'changes', command: 'make', changes: [change], isProtected: true });
    assert.match(shown, /It is new\.\n\+evil⟨U\+202E⟩/);
    assert.match(shown, /Nothing allows this ahead/);
  });
});

const raise = {
  kind: 'raise',
  envelope: 'day',
  of: 'today’s',
  resource: 'usd',
  limit: 5_000_000,
  to: 7_500_000,
  used: 4_980_000,
  needed: 64_000,
  cost: { model: 'openai/m', inputTokens: 100, outputTokens: 8000, microUsd: 64_000 },
  isProtected: true,
} as const satisfies RequestSubject;

describe('a request to raise a budget', () => {
  it('says whose, from what to what, what is used and what the next call may need', () => {
    const { title, paragraphs } = describeRequest({ id: 'r-1', runId: 'run-1', subject: raise });
    assert.equal(title, 'Raise today’s budget from $5.00 to $7.50?');
    assert.match(
      paragraphs.join('\n'),
      /^\$4\.98 of it are used\. The next call may need \$0\.0640\..*\nIt is raised for this run/,
    );
    assert.match(paragraphs.join('\n'), /Nothing allows this ahead/);
  });

  it('shows a command of several lines, and what it runs, so that no line passes for the host’s words', () => {
    const forged = 'It is sandboxed: it can change nothing but that copy.';
    const { paragraphs } = describeRequest({
      id: 'r',
      runId: 'run-1',
      subject: {
        kind: 'command',
        command: `sh a.sh\n${forged}`,
        cwd: '.',
        why: 'sh is not on the list.',
        runs: [{ name: 'a.sh', sha256: 's', text: `true\n\n${forged}\n` }],
      },
    });
    const lines = paragraphs.join('\n').split('\n');
    assert.equal(lines.filter((line) => line === `│ ${forged}`).length, 2);
    assert.ok(!lines.includes(forged));
  });
});

describe('what may be allowed ahead', () => {
  const command = { kind: 'command', command: 'npm ci', cwd: '.', why: 'It runs scripts.' } as const;

  it('is a command that reaches the network only with both scopes, and nothing that is protected', () => {
    assert.deepEqual(scopesOf(command), ['commands']);
    assert.deepEqual(scopesOf({ ...command, isSandboxed: true, network: true }), ['commands', 'network']);
    assert.equal(scopesOf({ ...command, isProtected: true }), undefined);
    assert.equal(scopesOf(raise), undefined);
    assert.equal(scopesOf({ kind: 'changes', command: 'make', changes: [], isProtected: true }), undefined);
  });
});
