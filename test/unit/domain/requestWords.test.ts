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

  it('shows every line of what a command did, with what cannot be seen as code points', () => {
    const change = { path: '.envrc', why: '.envrc is a setting of a shell.', texts: { after: 'evil\u202e\n' } };
    const shown = words({ kind: 'changes', command: 'make', changes: [change], isProtected: true });
    assert.match(shown, /It is new\.\n\+evil⟨U\+202E⟩/);
    assert.match(shown, /Nothing allows this ahead/);
  });
});

describe('what may be allowed ahead', () => {
  const command = { kind: 'command', command: 'npm ci', cwd: '.', why: 'It runs scripts.' } as const;

  it('is a command that reaches the network only with both scopes, and nothing that is protected', () => {
    assert.deepEqual(scopesOf(command), ['commands']);
    assert.deepEqual(scopesOf({ ...command, isSandboxed: true, network: true }), ['commands', 'network']);
    assert.equal(scopesOf({ ...command, isProtected: true }), undefined);
    assert.equal(scopesOf({ kind: 'changes', command: 'make', changes: [], isProtected: true }), undefined);
  });
});
