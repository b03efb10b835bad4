/** How long the guardrails take for one command, over commands of every kind, in turns so that no text stays warm. */
import type { World } from '../src/guardrails/guardrails.ts';
import { openGuardrails } from '../src/workspace/openGuardrails.ts';

const COMMANDS = [
  'git status --short',
  'git log --oneline -20 -- src && git diff --stat',
  'grep -rn "TODO" src | sort | cat',
  "sed -n '1,40p' src/index.ts",
  'find . -name "*.ts" -type f -maxdepth 3',
  'npm test 2>&1',
  'sudo bash -c "rm -rf /*"',
  'for f in $(ls); do cat "$f" > "$f.bak"; done',
  `echo ${'word '.repeat(190)}`,
  `${'ls; '.repeat(240)}ls`,
  `echo ${'$('.repeat(200)}ls${')'.repeat(200)}`,
];
const ROUNDS = 500;
const world: World = { root: '/ws', leadsTo: (path) => path, textOf: () => undefined, holdsSecrets: () => false };

export async function run(): Promise<void> {
  const guardrails = await openGuardrails();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const command of COMMANDS) {
      const started = performance.now();
      guardrails.command('bash', command, world);
      times.push(performance.now() - started);
    }
  }
  times.sort((one, other) => one - other);
  const at = (share: number): string => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(2);
  console.log(`| ${times.length} verdicts on ${COMMANDS.length} commands | p50 | p99 | longest | must (p99) |`);
  console.log('|---|---|---|---|---|');
  console.log(`| ms | ${at(0.5)} | ${at(0.99)} | ${at(1)} | 5 |`);
}
