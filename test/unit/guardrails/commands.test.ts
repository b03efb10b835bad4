import assert from 'node:assert/strict';
import type { Shell } from '../../../src/guardrails/commandRisk.ts';
import type { World } from '../../../src/guardrails/guardrails.ts';
import { compareStrictness, type Verdict } from '../../../src/guardrails/verdict.ts';
import { openGuardrails } from '../../../src/workspace/openGuardrails.ts';
import { SeededRandom } from '../../support/seededRandom.ts';

const world: World = { root: '/ws', leadsTo: (path) => path, textOf: () => undefined, holdsSecrets: () => false };
const guardrails = await openGuardrails({
  commands: [
    ...['git status', 'git diff', 'git log', 'git show', 'ls', 'cat', 'echo', 'grep', 'find', 'sort', 'sed -n'],
    ...['npm test', 'npm run build'],
  ],
  hosts: [],
});
const judge = (command: string, shell: Shell = 'bash'): Verdict => guardrails.command(shell, command, world);

const HARMLESS = [
  'git status',
  'git  status\t--short',
  '"git" status',
  'git log --oneline -5',
  'git log -n 3 --format="%h %s"',
  'git log --pretty=oneline -- src',
  'git diff HEAD~1..HEAD -- src/a.ts',
  'git diff --stat',
  'git show HEAD:src/index.ts',
  'git show HEAD^',
  'ls',
  'ls -la src',
  'ls -lah src test',
  'cat README.md',
  'cat src/index.ts | grep export',
  'cat -n "my file.txt"',
  'echo hi',
  "echo 'a; b && c > d'",
  'echo "costs 5$"',
  'echo "hello world!"',
  'echo "grüße"',
  'echo "привет мир"',
  'grep -rn "TODO" src',
  'grep -n "foo$" a.txt',
  'grep -rn --include=*.ts foo src',
  "grep -E 'a|b' a.txt",
  "grep -c '^import' src/index.ts",
  'find . -name "*.ts"',
  "find src -type f -name '*.js' -maxdepth 2",
  'sort names.txt',
  'sort -u -k2,2 a.txt',
  "sed -n '1,20p' a.txt",
  'sed -n 5p a.txt',
  "sed -n '/foo/,/bar/p' a.txt",
  'npm test',
  'npm run build',
  'npm test && npm run build',
  'npm test 2>&1',
  'git status && git diff',
  'ls | sort | grep x',
  'ls src/*.ts',
  'cat src/*.ts',
  'git status # look',
  'ls\n',
  'echo a\necho b',
];
const DOUBTFUL = [
  'git status; rm x',
  'git status && touch P',
  'git status || touch P',
  'git status | sh',
  'git status & touch P',
  'git status\ntouch P',
  'echo `touch P`',
  'echo "$(touch P)"',
  'echo ${x}',
  'echo $HOME',
  'cat <(touch P)',
  'cat < README.md',
  'cat ../x',
  'cat /etc/passwd',
  'cat ~/.ssh/id_rsa',
  'cat .env',
  'cat .ENV',
  'cat ".env"',
  'cat .e*',
  'cat *',
  'cat .en?',
  'cat .e""nv',
  'cat .e\\nv',
  'cat .еnv',
  'grep x .env',
  'grep -f .env x',
  'grep --file=*.x x a',
  'grep -*n x a',
  'git show HEAD:.env',
  'git diff --output=P',
  'git diff --outp=P',
  'git diff --ext-diff',
  'git diff --no-index /etc/passwd x',
  'git log --show-signature',
  'git -C / status',
  'git -c core.pager=x log',
  'git -p log',
  'git branch -D x',
  'git stash',
  'git log --format=%GK',
  'find . -delete',
  'find . -fprint P',
  'find / -name x',
  'find . -name *.ts',
  'find -L . ',
  'sort -o P a',
  'sort -oP a',
  'sort --output=P a',
  'sort --compress-program=x a',
  'sort *.txt',
  'sort -T /tmp a',
  "sed -n 'w P' a",
  "sed -n '1e touch P' a",
  "sed -n 's/a/b/w P' a",
  "sed -n 's/a/b/e' a",
  "sed -n -i 's/a/b/p' a",
  'sed -ni p a',
  "sed -n '/x/w P' a",
  'sed -n --in-place p a',
  "sed -n '1r /etc/passwd' a",
  "sed 's/a/b/' a",
  'npm test -- x',
  'npm test --script-shell=x',
  'npm run build --prefix /x',
  'npm run evil',
  'npm  --prefix x test',
  'npm run build-evil',
  'FOO=1 git status',
  'env git status',
  'sudo git status',
  'bash -c "git status"',
  'gіt status',
  'git\u00a0status',
  'git status\u200b',
  'git status > P',
  'git status >> P',
  'echo x >| P',
  'ls -la >P',
  '{ git status; }',
  '(git status)',
  'if true; then ls; fi',
  '! ls',
  'time ls',
  'ls &',
  'ls;&',
  'cat <<< x',
  'cat <<E\nE',
  'git status \\\n; touch P',
  "git status $'\\n' touch",
  'a() { ls; }; a',
  'echo {a,b}',
  'ls =ls',
  'unknown',
  './git status',
  '/tmp/git status',
  'git.exe status',
  'GIT status',
  'cat package-lock.json -- /etc/passwd',
  'cat -- .env',
  'grep -r KEY ../',
  'cat src/../../x',
  'cat //etc/passwd',
  'cat /ws/../etc/passwd',
  'ls ~',
  'ls /',
  'echo /etc/*',
  'cat /proc/self/environ',
  'cat .npmrc',
  'cat .ssh/config',
  'cat server.pem',
  'cat *.pem',
  'cat id_rsa',
  'ls C:\\',
  '',
  '   ',
  '#x',
  'grep -R x .',
  'git diff -O/etc/passwd',
  'cat a.txt; :',
  'echo "a',
  'echo a\\',
  'echo <x',
  'coproc ls',
  '[[ -f x ]]',
  'git log -p --output P',
  'echo \'$(x)\' "`x`"',
  'cat README.md\u202e',
  'echo\u2028x',
  'git status;git push --force',
  'git log --exec=x',
  'git diff --textconv',
];
const RUINOUS = [
  'rm -rf /',
  'rm -rf /*',
  'rm -r -f /',
  'rm --recursive --force /',
  'sudo rm -rf /',
  'sudo -u root rm -rf /',
  'env A=1 rm -rf /',
  'bash -c "rm -rf /*"',
  "sh -c 'rm -rf ~'",
  'rm -rf ~',
  'rm -rf $HOME',
  'rm -rf "$HOME"',
  'rm -rf /etc',
  ':(){ :|:& };:',
  'dd if=/dev/zero of=/dev/sda',
  'mkfs.ext4 /dev/sda1',
  'ls; rm -rf /',
  'echo $(rm -rf /)',
  'shutdown -h now',
  'chmod -R 777 /',
  'rм -rf /',
  'cat x > /dev/sda',
  'r\\m -rf /',
  '"rm" -rf "/"',
  'find / -delete',
  'nohup rm -rf / &',
  'true && rm -rf /',
  'bash -c "bash -c \'rm -rf /\'"',
  'eval "rm -rf /"',
  '\\rm -rf /',
  '/bin/rm -rf /',
  'RM -rf /',
];

describe('a command', () => {
  for (const [expected, commands] of [
    ['allow', HARMLESS],
    ['ask', DOUBTFUL],
    ['deny', RUINOUS],
  ] as const) {
    it(`is a matter of ${expected}: ${commands.length} of them`, () => {
      for (const command of commands) {
        const verdict = judge(command);
        assert.equal(verdict.kind, expected, `${JSON.stringify(command)}: ${verdict.reason}`);
      }
    });
  }

  it('of another shell goes ahead only in plain words', () => {
    for (const shell of ['pwsh', 'cmd'] as const) {
      for (const command of ['git status', 'git log --oneline']) {
        assert.equal(judge(command, shell).kind, 'allow', command);
      }
      for (const command of [
        ...[
          'git status; x',
          'git "status"',
          'echo $env:X',
          'echo %PATH%',
          'git status & x',
          'git status | x',
          'sort /O P',
        ],
        ...['echo ^&', 'git status `n', "git 'status'", '(git status)', '@git status', 'git status > x'],
      ]) {
        assert.equal(judge(command, shell).kind, 'ask', `${shell}: ${command}`);
      }
    }
  });

  it('that searches a whole folder asks where files with secrets lie in it', () => {
    const holding: World = { ...world, holdsSecrets: () => true };
    assert.equal(guardrails.command('bash', 'grep -rn TODO .', holding).kind, 'ask');
    assert.equal(guardrails.command('bash', 'grep -n TODO a.txt', holding).kind, 'allow');
  });

  it('that names a link asks when it leads outside or to a secret', () => {
    const linked: World = {
      ...world,
      leadsTo: (path) => (path === 'out' ? undefined : path === 'settings' ? '.env' : path),
    };
    assert.equal(guardrails.command('bash', 'cat out', linked).kind, 'ask');
    assert.equal(guardrails.command('bash', 'cat settings', linked).kind, 'ask');
    assert.equal(guardrails.command('bash', 'cat README.md', linked).kind, 'allow');
  });

  const seed = Number(process.env['DEVSQUAD_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const count = Number(process.env['DEVSQUAD_MUTATIONS'] ?? 3000);
  it(`is judged no laxer for a change that makes it no more harmless, ${count} times from seed ${seed}`, () => {
    const random = new SeededRandom(seed);
    // Where a quote, a comment or a document is open, what is put behind is part of it.
    const all = [...HARMLESS, ...DOUBTFUL, ...RUINOUS].filter((command) => isWhole(command));
    for (let index = 0; index < count; index++) {
      const command = random.pick(all) ?? '';
      const mutated = random.pick(MUTATIONS)?.(command, random) ?? command;
      const [before, after] = [judge(command), judge(mutated)];
      assert.ok(
        compareStrictness(after, before) >= 0,
        `${JSON.stringify(command)} is ${before.kind}, and ${JSON.stringify(mutated)} ${after.kind}. Again: DEVSQUAD_SEED=${seed} npm run test:unit -- --grep laxer`,
      );
    }
  }).timeout(600_000);
});

const isWhole = (command: string): boolean =>
  !/#|<<|\\$/.test(command) && [/"/g, /'/g].every((sign) => [...command.matchAll(sign)].length % 2 === 0);

type Mutation = (command: string, random: SeededRandom) => string;

const LOOK_ALIKE: Readonly<Record<string, string>> = { a: 'а', c: 'с', e: 'е', i: 'і', o: 'о', p: 'р', s: 'ѕ', x: 'х' };

/** None of them can make a command do less harm. */
const MUTATIONS: readonly Mutation[] = [
  // Blanks between words, where the shell sees them.
  (command) => ` ${command}`,
  (command) => `\t${command} `,
  (command) => `${command}\n`,
  (command) => `\n${command}`,
  // In front.
  (command) => `env ${command}`,
  (command) => `sudo ${command}`,
  (command) => `A=1 ${command}`,
  (command) => `command ${command}`,
  (command) => `nohup ${command}`,
  (command) => `bash -c ${quote(command)}`,
  (command) => `sh -c ${quote(command)}`,
  // Behind.
  (command) => `${command}; touch x`,
  (command) => `${command} && rm x`,
  (command) => `${command}\ntouch x`,
  (command) => `${command} | sh`,
  (command) => `${command} > x`,
  (command) => `${command} $(touch x)`,
  // What a reader takes for the same.
  (command, random) => swapOne(command, random, (letter) => LOOK_ALIKE[letter]),
  (command, random) => insert(command, random, '\u200b'),
  (command, random) => insert(command, random, '\u202e'),
  // The letter case of protected names.
  (command) => command.replace(/\.(?:env|npmrc|ssh|pem)\b/gi, (name) => name.toUpperCase()),
  // Quotes round a word of plain letters.
  (command, random) => quoteOne(command, random),
];

const quote = (command: string): string => `'${command.replaceAll("'", "'\\''")}'`;

function swapOne(command: string, random: SeededRandom, swap: (letter: string) => string | undefined): string {
  const places = Array.from(command).flatMap((letter, index) => (swap(letter) === undefined ? [] : [index]));
  const at = random.pick(places);
  return at === undefined ? command : command.slice(0, at) + (swap(command[at] ?? '') ?? '') + command.slice(at + 1);
}

function insert(command: string, random: SeededRandom, character: string): string {
  const at = random.between(0, command.length);
  return command.slice(0, at) + character + command.slice(at);
}

function quoteOne(command: string, random: SeededRandom): string {
  // Only where no quote, escape or comment is in the way.
  if (/["'\\#`$<]/.test(command)) {
    return command;
  }
  const words = [...command.matchAll(/(?<=^|\s)[\w./-]+(?=\s|$)/g)];
  const found = random.pick(words);
  if (!found) {
    return command;
  }
  const { 0: word, index } = found;
  const sign = random.pick(['"', "'"]) ?? '"';
  return `${command.slice(0, index)}${sign}${word}${sign}${command.slice(index + word.length)}`;
}
