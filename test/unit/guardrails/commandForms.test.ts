import assert from 'node:assert/strict';
import { guardrails } from '../../support/guardrails.ts';

const FILES: Record<string, string> = {
  'package.json': JSON.stringify({
    scripts: { test: 'node run.js', build: 'tsc', prepare: 'husky', tool: 'tool --all' },
  }),
  'app/package.json': JSON.stringify({ scripts: { test: 'jest' } }),
  Makefile: 'all:\n\t@npm run build\n',
  'run.sh': 'true\n',
  'run.js': '1\n',
  'node_modules/.bin/tool': 'x\n',
  'src/a.ts': '',
  'src/b c.ts': '',
  'test/a.test.js': '',
  '.env': 'SECRET=1',
};
const world = {
  root: '/ws',
  leadsTo: (path: string) => path.replace(/^\.\//, ''),
  textOf: (path: string) => FILES[path.replace(/^\.\//, '')],
  holdsSecrets: () => false,
};

describe('what a command runs', () => {
  const cases: [string, readonly string[]][] = [
    ['npm test', ['"test" of package.json', 'run.js']],
    ['FOO=1 npm t --silent', ['"test" of package.json', 'run.js']],
    ['sudo -u x npm run-script build', ['"build" of package.json']],
    ['npm ci', ['"prepare" of package.json']],
    ['npm --prefix app test', ['"test" of package.json', 'run.js', '"test" of app/package.json']],
    ['cd app && npm test', ['"test" of app/package.json']],
    ['make -j4 all', ['Makefile', '"build" of package.json']],
    ['bash run.sh --fast', ['run.sh']],
    ['./run.sh', ['run.sh']],
    ['node run.js', ['run.js']],
    ['node -e "1+1"', []],
    ['node --test test/a.test.js', []],
    ['cargo build', []],
    ['npx tool src/a.ts', ['node_modules/.bin/tool']],
    ['npm run tool', ['"tool" of package.json', 'node_modules/.bin/tool']],
  ];
  for (const [command, names] of cases) {
    it(`is found for ${command}`, () => {
      assert.deepEqual(
        guardrails.runs(command, world).map(({ name }) => name),
        names,
      );
    });
  }

  it('is never the text of a file with secrets', () => {
    const [found, ...others] = guardrails.runs('source .env', world);
    assert.deepEqual([found?.name, found?.text, others.length], ['.env', undefined, 0]);
  });

  it('ends where scripts call each other in a circle', () => {
    const scripts = { a: 'npm run b', b: 'npm run a' };
    const text = JSON.stringify({ scripts });
    const circle = { ...world, textOf: (path: string) => (path === 'package.json' ? text : undefined) };
    assert.deepEqual(
      guardrails.runs('npm run a', circle).map(({ name }) => name),
      ['"a" of package.json', '"b" of package.json'],
    );
  });
});

describe('a command that does the same to whatever files it is given', () => {
  const yes: [string, string][] = [
    ['npx prettier --write src/a.ts', 'npx prettier --write'],
    ["eslint --fix 'src/b c.ts' src/a.ts", 'eslint --fix'],
    ['node --test test/a.test.js', 'node --test'],
    ['rustfmt src/a.ts', 'rustfmt'],
  ];
  for (const [command, words] of yes) {
    it(`is ${command}`, () => {
      assert.equal(guardrails.onFiles(command, world)?.join(' '), words);
    });
  }
  const no = [
    ...['rm src/a.ts', 'npx rm src/a.ts', 'bash run.sh', 'node run.js', 'python3 run.js', 'sudo eslint src/a.ts'],
    ...['eslint src/a.ts && true', 'eslint src/*.ts', 'eslint src/missing.ts', 'eslint .env', 'eslint src/a.ts > x'],
    ...[
      './run.sh src/a.ts',
      'git add src/a.ts',
      'X=1 eslint src/a.ts',
      'eslint src/a.ts -o x',
      'sed -i s/a/b/ src/a.ts',
    ],
  ];
  for (const command of no) {
    it(`is not ${command}`, () => {
      assert.equal(guardrails.onFiles(command, world), undefined);
    });
  }
});
