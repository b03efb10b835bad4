import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { breaches, type Allowance, type Rung } from '../support/importRules.ts';

const free: readonly Allowance[] = ['path', 'crypto', 'util'];
const core = ['base', 'domain', 'ports'];
const belowTools = [...core, 'protocol', 'ledger', 'store', 'inbox', 'llm', 'budget', 'guardrails', 'workspace'];
const belowAgents = [...belowTools, 'tools', 'services'];
const belowSquad = [...belowAgents, 'agents', 'integrations', 'control'];
const belowHosts = [...belowSquad, 'squad', 'replay'];

/** A folder may import what stands above it, never below. */
const ladder: readonly Rung[] = [
  { name: 'base', imports: [], builtins: [{ name: 'os', onlyIn: 'base/politeThread' }] },
  { name: 'domain', imports: ['base'], packages: ['diff', 'zod'] },
  { name: 'ports', imports: ['base', 'domain'], packages: ['zod'], builtins: free },
  { name: 'protocol', imports: ['base', 'domain'], packages: ['zod'] },
  { name: 'ledger', imports: core, builtins: [...free, 'fs', 'net', 'worker_threads', 'zlib'] },
  {
    name: 'store',
    imports: core,
    packages: ['kysely', 'sql.js', 'zod'],
    builtins: [...free, 'fs', 'worker_threads'],
  },
  { name: 'inbox', imports: core, builtins: free },
  { name: 'llm', imports: core, packages: ['openai', 'p-queue', 'zod'], builtins: free },
  { name: 'budget', imports: [...core, 'inbox'], builtins: free },
  { name: 'guardrails', imports: core, packages: ['ipaddr.js', 'web-tree-sitter', 'zod'], builtins: free },
  {
    name: 'workspace',
    imports: [...core, 'guardrails'],
    packages: ['picomatch', 'zod'],
    builtins: [...free, 'fs', 'child_process'],
  },
  {
    name: 'tools',
    imports: belowTools,
    packages: ['picomatch', 'zod'],
    builtins: [...free, ...['dns', 'http', 'https'].map((name) => ({ name, onlyIn: 'tools/fetchUrl' }))],
  },
  {
    name: 'services',
    imports: [...core, 'store', 'inbox', 'budget', 'workspace'],
    packages: ['p-queue'],
    builtins: free,
  },
  { name: 'agents', imports: belowAgents, packages: ['zod'], builtins: free },
  {
    name: 'integrations',
    imports: [...belowAgents, 'agents'],
    packages: ['@modelcontextprotocol/client', '@opentelemetry/api', 'jsonc-parser', 'zod'],
    builtins: 'any',
  },
  {
    name: 'control',
    imports: [...core, 'protocol', 'store', 'inbox', 'budget', 'services'],
    builtins: [...free, 'net'],
  },
  { name: 'squad', imports: belowSquad, builtins: free },
  { name: 'replay', imports: [...belowSquad, 'squad'], builtins: free },
  { name: 'host', imports: belowHosts, builtins: 'any' },
  { name: 'vscode', imports: [...belowHosts, 'host'], packages: ['vscode'], builtins: 'any' },
  { name: 'node', imports: [...belowHosts, 'host'], builtins: 'any' },
  { name: 'extension', imports: ['vscode', 'squad', 'replay'], builtins: free },
  { name: 'cli', imports: ['node', 'squad', 'replay'], builtins: free },
  {
    name: 'webview',
    imports: ['protocol', 'domain', 'base'],
    packages: [{ name: '@vscode/webview-ui-toolkit', onlyIn: 'webview/ui/' }, '@vscode/codicons', 'uplot', 'preact'],
  },
];

describe('the ladder of folders', () => {
  it('is kept by every import in src and webview', () => {
    assert.deepEqual(breaches(sources(), ladder), []);
  });

  it('has room for every folder and no rung twice', () => {
    const names = ladder.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    const unknown = ladder.flatMap(({ imports }) => imports).filter((name) => !names.includes(name));
    assert.deepEqual(unknown, []);
  });
});

describe('a breach of the ladder', () => {
  const cases: readonly (readonly [what: string, source: Record<string, string>, breach: RegExp])[] = [
    [
      'is an import from below',
      { 'src/domain/task.ts': "import type { Store } from '../store/schema.ts';" },
      /^src\/domain\/task\.ts: imports \.\.\/store\/schema\.ts, but domain may import only base$/,
    ],
    ['is a re-export', { 'src/base/all.ts': "export * from '../ports.ts';" }, /may import only nothing/],
    ['is a dynamic import', { 'src/llm/a.ts': "await import('kysely');" }, /imports kysely, but llm may use only/],
    ['is a type by import()', { 'src/inbox/a.ts': "let a: import('zod').ZodType;" }, /imports zod, but inbox/],
    ['is a package', { 'src/domain/a.ts': "import picomatch from 'picomatch';" }, /only the packages diff, zod$/],
    ['is a built-in module', { 'src/domain/a.ts': "import 'node:path';" }, /domain may use of Node only nothing$/],
    ['is a built-in module without node:', { 'src/tools/a.ts': "import 'fs/promises';" }, /tools may use of Node/],
    ['is vscode outside src/vscode', { 'src/node/host.ts': "import 'vscode';" }, /imports vscode, but node/],
    ['is a computed name', { 'src/agents/a.ts': 'await import(name);' }, /computed name/],
    ['is a folder without a row', { 'src/helpers/a.ts': "import '../base/a.ts';" }, /helpers has no row/],
    [
      'is a cycle of files',
      { 'src/base/a.ts': "import './b.ts';", 'src/base/b.ts': "import './a.ts';" },
      /^import cycle: src\/base\/a\.ts → src\/base\/b\.ts → src\/base\/a\.ts$/,
    ],
    [
      'is a pair of folders that import each other',
      { 'src/agents/a.ts': "import '../tools/a.ts';", 'src/tools/b.ts': "import '../agents/b.ts';" },
      /agents and tools import each other/,
    ],
  ];
  for (const [what, source, breach] of cases) {
    it(what, () => {
      const found = breaches(new Map(Object.entries(source)), ladder);
      assert.ok(
        found.some((sentence) => breach.test(sentence)),
        `found only: ${found.join('; ') || 'nothing'}`,
      );
    });
  }

  it('is not what a rung allows to one of its files', () => {
    const allowed = new Map([
      ['src/tools/fetchUrl.ts', "import 'node:https'; import '../base/a.ts'; import 'zod/v4';"],
    ]);
    assert.deepEqual(breaches(allowed, ladder), []);
  });
});

function sources(): ReadonlyMap<string, string> {
  const files = ['src', 'webview']
    .filter((folder) => existsSync(path.join(projectFolder, folder)))
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: projectFolder }));
  return new Map(files.map((file) => [file, readFileSync(path.join(projectFolder, file), 'utf8')]));
}
