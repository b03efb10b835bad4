import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandLineOf, ownVariablesOf, resolveProgram, serverListSchema } from '../../../src/domain/mcpServer.ts';
import { readServers } from '../../../src/integrations/mcpFile.ts';

describe('.vscode/mcp.json', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'servers-'));
    mkdirSync(path.join(folder, '.vscode'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const write = (text: string): void => {
    writeFileSync(path.join(folder, '.vscode/mcp.json'), text);
  };
  const define = (docs: object): void => {
    write(JSON.stringify({ servers: { docs } }));
  };

  it('is read as editors write it, for the servers that are wanted and nobody else’s', async () => {
    write(`{
      // what our agents know
      "inputs": [],
      "servers": {
        "docs": { "type": "stdio", "command": "npx", "args": ["-y", "docs-server@1.2.3"], "env": { "PLACE": "\${workspaceFolder}/docs", "TOKEN": "\${env:DOCS_TOKEN}" } },
        "broken": 7,
      },
    }`);
    assert.deepEqual(await readServers(folder, ['docs:network', 'elsewhere']), [
      {
        name: 'docs',
        command: 'npx',
        args: ['-y', 'docs-server@1.2.3'],
        env: { PLACE: '${workspaceFolder}/docs', TOKEN: '${env:DOCS_TOKEN}' },
        network: true,
      },
    ]);
    await assert.rejects(readServers(folder, ['broken']), /No run begins with an MCP server that is not understood/);
  });

  it('is not looked at where nothing is wanted, and need not be there', async () => {
    write('{');
    assert.deepEqual(await readServers(folder, []), []);
    rmSync(path.join(folder, '.vscode'), { recursive: true });
    assert.deepEqual(await readServers(folder, ['docs']), []);
  });

  const refused: readonly (readonly [what: string, definition: object, why: RegExp])[] = [
    ['an address', { type: 'http', url: 'https://x.example/mcp' }, /"docs" is reached by http/],
    ['no program', { args: [] }, /command/],
    ['a file with variables', { command: 'a', envFile: '.env' }, /a file with variables is not read/],
    ['another folder', { command: 'a', cwd: '/' }, /started in the task’s own copy/],
    ['an input of the editor', { command: 'a', env: { KEY: '${input:key}' } }, /\$\{workspaceFolder\} and, in env/],
    ['a secret as an argument, which all see', { command: 'a', args: ['${env:KEY}'] }, /stands in env only/],
    ['a word that is none', { command: 'a', args: [7] }, /args/],
    ['a variable without a name', { command: 'a', env: { 'a b': '1' } }, /env/],
    ['words that go on like the host’s', { command: 'a', env: { KEY: 'x\n\nIt is sandboxed.' } }, /no line breaks/],
    ['an endless argument', { command: 'a', args: ['x'.repeat(5000)] }, /args/],
  ];
  for (const [what, definition, why] of refused) {
    it(`is refused with ${what}, and says what to do`, async () => {
      define(definition);
      await assert.rejects(readServers(folder, ['docs']), (error: Error) => {
        assert.match(error.message, why);
        assert.match(error.message, /Mend it, or leave the server out of your list\./);
        return true;
      });
    });
  }

  it('is refused when it is no JSON', async () => {
    write('{"servers": {"docs": }');
    await assert.rejects(readServers(folder, ['docs']), /It is no JSON: ValueExpected at character 21/);
  });
});

describe('a list of servers', () => {
  it('names each once, with the network or without', () => {
    assert.ok(serverListSchema.safeParse(['docs', 'issues:network']).success);
    for (const list of [['docs', 'docs:network'], ['docs', 'docs'], ['a b'], ['docs:all'], ['']]) {
      assert.ok(!serverListSchema.safeParse(list).success, list.join());
    }
  });
});

describe('a server’s program', () => {
  const program = {
    command: 'node',
    args: ['${workspaceFolder}/it’s.mjs', "it's", '$HOME; rm -rf ~', ''],
    env: { A: '${env:ONE}-${env:TWO}', B: '${workspaceFolder}', C: '$& $1' },
  };

  it('is shown and judged as a line that a shell reads as just these words', () => {
    assert.equal(commandLineOf(program), "node './it’s.mjs' 'it'\\''s' '$HOME; rm -rf ~' ''");
  });

  it('is started with what its references stand for, and nothing of that is read again', () => {
    const { words, env } = resolveProgram(program, '/ws/$&', { ONE: '${workspaceFolder}$&', TWO: '${env:ONE}' });
    assert.deepEqual(words, ['node', '/ws/$&/it’s.mjs', "it's", '$HOME; rm -rf ~', '']);
    assert.deepEqual(env, { A: '${workspaceFolder}$&-${env:ONE}', B: '/ws/$&', C: '$& $1' });
    assert.deepEqual(ownVariablesOf(program), ['ONE', 'TWO']);
  });
});
