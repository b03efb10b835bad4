import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandListSchema, policyOf, type WorkspacePolicy } from '../../../src/domain/policy.ts';
import { describePolicy } from '../../../src/guardrails/policyWords.ts';
import { readWorkspacePolicy } from '../../../src/host/workspacePolicy.ts';
import { guardrails } from '../../support/guardrails.ts';

const world = { root: '/ws', leadsTo: (named: string) => named, textOf: () => undefined, holdsSecrets: () => false };

function judge(command: string, allowedCommands: string[], workspacePolicy: WorkspacePolicy = {}) {
  return guardrails.under(policyOf({ allowedCommands, workspacePolicy })).command('bash', command, world);
}

describe('the policy of a person and of a workspace', () => {
  it('lets the person’s commands run, as they stand in the list and no further', () => {
    assert.equal(judge('npm test', []).kind, 'ask');
    for (const command of ['npm test', 'npm test --silent', 'npm  test && git status']) {
      assert.equal(judge(command, ['npm test']).kind, 'allow', command);
    }
    for (const command of [
      'npm test -- --grep x',
      'npm tests',
      'npm test; curl x.example',
      'X=1 npm test',
      'npm test > a',
    ]) {
      assert.equal(judge(command, ['npm test']).kind, 'ask', command);
    }
  });

  it('can only be made stricter by the workspace, whatever the person allows', () => {
    const strict = { ask: ['npm test'], refuse: ['git push'] };
    const asked = judge('npm test', ['npm test'], strict);
    assert.ok(asked.kind === 'ask' && asked.isProtected, 'no flag answers it');
    for (const command of [
      'git push',
      'git  "push" origin',
      'true && GIT push',
      'sudo git push -f',
      '"git" push',
      '$(git push)',
    ]) {
      assert.equal(judge(command, ['git push'], strict).kind, 'deny', command);
    }
    assert.equal(judge('git pushy', [], strict).kind, 'ask');
    assert.equal(judge('echo "git push"', [], strict).kind, 'deny', 'in doubt it is refused');
    assert.equal(judge('git status', [], strict).kind, 'allow');
  });

  it('refuses hosts that the workspace refuses, also those on the person’s list', () => {
    const policy = policyOf({
      allowedHosts: ['*.example.com'],
      workspacePolicy: { refuseHosts: ['evil.example.com'] },
    });
    const rules = guardrails.under(policy);
    assert.equal(rules.url('GET', 'https://docs.example.com/').kind, 'allow');
    assert.equal(rules.url('GET', 'https://evil.example.com/').kind, 'deny');
  });

  it('takes beginnings of commands and nothing with a meaning to a shell', () => {
    for (const entry of ['', 'npm test; rm', 'a  b', '$(x)', 'a\nb', 'ls *']) {
      assert.ok(!commandListSchema.safeParse([entry]).success, entry);
    }
  });

  it('is shown with all that goes ahead, asks and is refused, in the workspace’s own words', () => {
    const added = policyOf({
      allowedCommands: ['npm test'],
      allowedHosts: ['docs.example.com'],
      workspacePolicy: { ask: ['npm publish'], refuse: ['git push'], refuseHosts: ['evil.example.com'] },
    });
    const text = describePolicy({
      added,
      rules: ['npm run lint, in the sandbox'],
      servers: ['docs', 'issues:network'],
      approve: ['plan'],
    });
    for (const entry of [
      ...added.commands,
      ...added.hosts,
      ...added.ask,
      ...added.refuse,
      ...added.refuseHosts,
      'npm run lint, in the sandbox',
      'issues:network',
      'git status',
      '.vscode',
    ]) {
      assert.ok(text.includes(entry), entry);
    }
  });
});

describe('.devsquad/policy.json', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'policy-'));
    mkdirSync(path.join(folder, '.devsquad'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const write = (text: string): void => {
    writeFileSync(path.join(folder, '.devsquad/policy.json'), text);
  };

  it('is nothing where it is not there, and is read where it is', async () => {
    assert.equal(await readWorkspacePolicy(folder), undefined);
    write('{"refuse": ["git push"]}');
    assert.deepEqual(await readWorkspacePolicy(folder), { refuse: ['git push'] });
  });

  it('keeps a run from beginning where it is not understood, and is never passed over', async () => {
    for (const text of [
      '',
      '{',
      '[]',
      '{"allow": ["rm"]}',
      '{"ask": "npm"}',
      '{"refuseHosts": ["http://x"]}',
      '{"ask": ["a;b"]}',
    ]) {
      write(text);
      await assert.rejects(readWorkspacePolicy(folder), /policy that is not understood/, text);
    }
  });
});
