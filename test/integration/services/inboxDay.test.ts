import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Grant, RequestRecord, RequestSubject } from '../../../src/domain/approval.ts';
import type { DeepReadonly } from '../../../src/base/deepReadonly.ts';
import { offersOf } from '../../../src/domain/grants.ts';
import { waitingGroups } from '../../../src/domain/phaseWords.ts';
import { finish, LifeBench } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

/** The long tests take twenty, who ask 500 times. */
const AGENTS = Number(process.env['DEVSQUAD_INBOX_AGENTS'] ?? 10);
const FOLDERS = ['docs', 'src/api', 'src/views', 'test'];

interface Call {
  readonly tool: string;
  readonly args: object;
}

const run = (command: string): Call => ({ tool: 'run_command', args: { command } });
const write = (file: string, content = 'text\n'): Call => ({ tool: 'write_file', args: { path: file, content } });

/** What one of the team asks for in a day, 25 times: much that all do, some that it alone does, now and then what nobody should. */
function dayOf(agent: number): Call[] {
  const day: Call[] = [];
  for (let round = 0; round < 4; round++) {
    const commands =
      round % 2 === 0
        ? [run('sh tools/lint.sh'), run(`fmt -w 80 test/t${(agent + round) % 7}.test.js`)]
        : [run(`sort -o out.txt ${agent % 2 === 0 ? 'README.md' : 'notes.md'}`)];
    const folders = Array.from({ length: 5 - commands.length }, (_, each) => FOLDERS[(round + each) % FOLDERS.length]);
    day.push(...commands, ...folders.map((folder) => write(`${folder ?? ''}/${agent}-${round}.txt`)));
  }
  day.push(run(`mkdir -p made/${agent}`), run(`touch made/${agent}/one`), write(`top-${agent}.txt`));
  day.push(...(HOSTILE[agent % HOSTILE.length] ?? []));
  return day.slice(0, 25);
}

/** Each begins like what everybody does. */
const HOSTILE: readonly (readonly Call[])[] = [
  [write('tools/lint.sh', 'touch PWNED\n'), run('sh tools/lint.sh')],
  [run('sh tools/lint.sh; touch PWNED'), write('.github/workflows/x.yml')],
  [run('fmt -w 80 test/t1.test.js && touch PWNED'), run('fmt -w 80 $(touch PWNED)')],
  [write('.vscode/tasks.json', '{}'), run('sort -o .git/config README.md')],
  [run('git push origin main'), write('docs/AGENTS.md')],
];

const isHostile = ({ subject }: DeepReadonly<RequestRecord>): boolean =>
  ('isProtected' in subject && subject.isProtected === true) ||
  (subject.kind === 'write' && subject.path === 'tools/lint.sh') ||
  (subject.kind === 'command' &&
    (/PWNED|\.git\/|push/.test(subject.command) || (subject.runs ?? []).some(({ text }) => text?.includes('PWNED'))));

describe('a day of the inbox', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  it('asks a person at most a quarter of what its agents ask for, lets nothing hostile pass and leaves nobody waiting', async () => {
    const keys = Array.from({ length: AGENTS }, (_, index) => `t${index}`);
    bench = new LifeBench({
      tasks: keys.map((key) => planTask(key, { writes: ['nothing-of-all-that.txt'] })),
      say: ({ key, answers }) => dayOf(Number(key.slice(1)))[answers] ?? finish,
    });
    for (const folder of ['tools', 'test']) {
      mkdirSync(path.join(bench.workspace, folder));
    }
    writeFileSync(path.join(bench.workspace, 'tools/lint.sh'), 'true\n');
    writeFileSync(path.join(bench.workspace, 'notes.md'), 'b\na\n');
    for (let index = 0; index < 7; index++) {
      writeFileSync(path.join(bench.workspace, `test/t${index}.test.js`), '');
    }
    await bench.open();
    await bench.start({ approve: ['plan'], maxAgents: AGENTS, limits: { agentsPerRole: AGENTS } });

    let prompts = 0;
    const dayIsOver = (): boolean => {
      const [group] = waitingGroups(bench.run());
      if (group) {
        prompts++;
        const [request, ...same] = group;
        const grant = widestInTheRun(request);
        void bench.squad.inbox.answer(
          request.id,
          isHostile(request)
            ? { kind: 'deny' }
            : { kind: 'allow', also: same.map(({ id }) => id), ...(grant ? { grant } : {}) },
          'terminal',
        );
      }
      return bench.run().phase === 'ended';
    };
    await bench.until('the end of the run', dayIsOver, 0, 230_000);

    const requests = Object.values(bench.run().requests).filter(({ subject }) => subject.kind !== 'plan');
    assert.ok(requests.length >= 24 * AGENTS, `only ${requests.length} requests`);
    assert.ok(prompts <= requests.length / 4, `${prompts} prompts for ${requests.length} requests`);
    assert.deepEqual(
      requests
        .filter((request) => isHostile(request) && request.answer?.kind === 'allow')
        .map(({ subject }) => words(subject)),
      [],
    );
    assert.ok(requests.filter((request) => isHostile(request)).length >= 1.5 * AGENTS);
    for (const key of keys) {
      assert.equal(bench.task(key)?.phase, 'proven', key);
      assert.ok(!existsSync(path.join(bench.worktree(key), 'PWNED')));
    }
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
  }).timeout(240_000);
});

/** What a person with many agents chooses: the widest of what ends with the run. */
function widestInTheRun(request: DeepReadonly<RequestRecord>): Grant | undefined {
  return offersOf(request).findLast(({ reach }) => reach !== 'workspace');
}

function words(subject: DeepReadonly<RequestSubject>): string {
  return subject.kind === 'command' ? subject.command : 'path' in subject ? subject.path : subject.kind;
}
