import assert from 'node:assert/strict';
import { changesWhatRuns } from '../../../src/guardrails/protectedFiles.ts';
import { judgePath, judgeWrite, type PathOperation } from '../../../src/guardrails/pathRules.ts';
import { judgeUrl } from '../../../src/guardrails/urlRules.ts';
import type { Verdict } from '../../../src/guardrails/verdict.ts';

const ORDINARY = [
  'src/index.ts',
  './a',
  'a/../b',
  '/ws/a',
  'a b',
  'ünï.ts',
  'src',
  '.env.example',
  'docs/environment.md',
  'keys.ts',
  'src/key.ts',
  'id.ts',
  'id_map.ts',
  '.gitignore',
  '.eslintrc.json',
  'test/.mocharc.json',
];
const PROTECTED = [
  '.vscode/settings.json',
  '.VSCODE/tasks.json',
  'a/.git/config',
  '.git/hooks/x',
  '.github/workflows/a.yml',
  'sub/.husky/pre-commit',
  'AGENTS.md',
  'package.json',
  '.npmrc',
  '.envrc',
  '.vscode /x',
  '.vscode./x',
  '.git::$INDEX/x',
  'git~1/config',
  '.v\u200bscode/x',
  '.vѕcode/x',
  'x.code-workspace',
  '.devsquad/policy.json',
  '.mcp.json',
  '.env',
  '.gitattributes',
];
const SECRET = [
  '.env',
  '.env.local',
  '.ENV',
  'a/.env.production',
  'x.pem',
  'id_rsa',
  '.ssh/known_hosts',
  '.aws/credentials',
  '.netrc',
  'a/.npmrc',
  '.devsquad/x',
  '.git-credentials',
  '.env ',
  '.еnv',
];
const OUTSIDE = [
  '',
  '..',
  '../x',
  '/etc/passwd',
  '/wsx/a',
  'a/../../x',
  '~/x',
  '~',
  'C:\\x',
  '\\\\server\\x',
  '..\\x',
  'a\0b',
  'file:///etc/passwd',
  '.. /x',
  '/',
  '..\u200b/x',
  '．．/x',
  '$HOME/x',
  '%USERPROFILE%/x',
];

describe('a path', () => {
  const all = (paths: readonly string[], ops: readonly PathOperation[], expected: Verdict['kind']): void => {
    for (const path of paths) {
      for (const op of ops) {
        const verdict = judgePath(op, path, '/ws');
        assert.equal(verdict.kind, expected, `${op} ${JSON.stringify(path)}: ${verdict.reason}`);
      }
    }
  };

  it('of an ordinary file is free', () => {
    all(ORDINARY, ['read', 'write', 'delete', 'list'], 'allow');
  });
  it('of a file that decides what runs asks before a change, in whatever letters it is written', () => {
    all(PROTECTED, ['write', 'delete'], 'ask');
  });
  it('of a file with secrets asks before it is read', () => {
    all(SECRET, ['read', 'write', 'delete'], 'ask');
  });
  it('that leads outside is refused', () => {
    all(OUTSIDE, ['read', 'write', 'delete', 'list'], 'deny');
  });

  it('of package.json asks when what it makes run changes', () => {
    const before = '{"name":"x","scripts":{"test":"node --test"},"dependencies":{}}';
    const judge = (after: string, had: string | undefined = before): Verdict['kind'] =>
      judgeWrite('package.json', after, had, '/ws').kind;
    assert.equal(judge('{"name":"y","scripts":{"test":"node --test"},"dependencies":{"a":"1"}}'), 'allow');
    assert.equal(judge('{"scripts":{"test":"curl x | sh"}}'), 'ask');
    assert.equal(judge('{"scripts":{"test":"node --test","postinstall":"x"}}'), 'ask');
    assert.equal(judge('{"name":"x","bin":"x.js"}'), 'ask');
    assert.equal(judge('no json'), 'ask');
    assert.ok(!changesWhatRuns(undefined, '{"name":"new"}'));
    assert.ok(changesWhatRuns(undefined, '{"scripts":{}, "bin":{"a":"b"}}'));
  });
});

describe('an address', () => {
  const all = (urls: readonly string[], expected: Verdict['kind'], method = 'GET'): void => {
    for (const url of urls) {
      const verdict = judgeUrl(method, url, { hosts: ['allowed.example', '*.allowed.example'] });
      assert.equal(verdict.kind, expected, `${url}: ${verdict.reason}`);
    }
  };

  it('on the list is free', () => {
    all(
      [
        'https://allowed.example/',
        'http://allowed.example/x?y=1',
        'https://a.b.allowed.example/',
        'https://allowed.example:443/x',
        'https://ALLOWED.example./',
      ],
      'allow',
    );
  });
  it('that is not on the list asks, however it resembles one that is', () => {
    all(
      [
        'https://evil.com',
        'https://allowed.example.evil.com',
        'https://evilallowed.example',
        'https://u:p@allowed.example/',
        'https://allowed.example:8080/',
        'https://аllowed.example/',
        'https://allowed.example@evil.com/',
        'http://8.8.8.8/',
      ],
      'ask',
    );
  });
  it('of this machine, its network or another kind is refused, however it is written', () => {
    all(
      [
        'http://2130706433/',
        'http://0x7f.1/',
        'http://017700000001/',
        'http://[::1]/',
        'http://[::ffff:127.0.0.1]/',
        'http://[::127.0.0.1]/',
        'http://[64:ff9b::7f00:1]/',
        'http://[2002:7f00:1::]/',
        'http://[fe80::1]/',
        'http://[fd00::1]/',
        'http://localhost/',
        'http://localhost./',
        'http://a.localhost/',
        'http://0/',
        'http://10.1.2.3/',
        'http://172.16.0.1/',
        'http://192.168.1.1/',
        'http://100.64.0.1/',
        'http://198.18.0.1/',
        'http://224.0.0.1',
        'ftp://allowed.example/',
        'data:text/html,x',
        'javascript:x',
        'http://metadata.google.internal/',
        'http://router/',
        'https://allowed.example\\@evil.com/',
        'https://allowed.example/\n',
        'http:///x',
        'nonsense',
        'http://[::ffff:a9fe:a9fe]/',
        'http://①②⑦.0.0.1/',
        'ws://allowed.example',
        'http://192.0.2.1',
        'http://127.0.0.1.',
        'http://printer.local',
      ],
      'deny',
    );
  });
  it('asks when something is sent to it', () => {
    all(['https://allowed.example/'], 'ask', 'POST');
  });
});
