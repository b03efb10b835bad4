/** What the models of a simulated run say: a plan of a few tasks and a script for each, both made from the seed. */
import { afterPutOff, type ConversationEntry } from '../../../src/domain/conversation.ts';
import type { ScriptedCall } from '../scriptedServer.ts';
import type { SeededRandom } from '../seededRandom.ts';

/** `mends`: the first claim fails its check. `never`: every claim does. */
type Character = 'good' | 'mends' | 'never';

interface SimulatedTask {
  readonly key: string;
  readonly character: Character;
  /** One answer each. */
  readonly turns: readonly (readonly ScriptedCall[])[];
}

export interface SimulatedTeam {
  readonly plan: Readonly<Record<string, unknown>>;
  readonly tasks: ReadonlyMap<string, SimulatedTask>;
  /** Which parts, by the number that their key ends in, are never done. */
  readonly failingParts: readonly number[];
}

const ROLES = [
  { role: 'coding', type: 'generate-code' },
  { role: 'testing', type: 'generate-tests' },
] as const;

export function makeTeam(random: SeededRandom): SimulatedTeam {
  const count = random.between(1, 5);
  const keys = Array.from({ length: count }, (_, index) => `t${index + 1}`);
  const tasks = new Map<string, SimulatedTask>();
  const planned = keys.map((key, index) => {
    const { role, type } = random.pick(ROLES) ?? ROLES[0];
    const character: Character = random.chance(0.12) ? 'never' : random.chance(0.3) ? 'mends' : 'good';
    tasks.set(key, { key, character, turns: makeTurns(key, random) });
    return {
      key,
      title: `Task ${key}`,
      description: `Write src/${key}.txt.`,
      role,
      type,
      dependsOn: keys.slice(0, index).filter(() => random.chance(0.3)),
      writes: [`src/${key}.txt`, `src/${key}-*.txt`, 'shared.txt', 'log.txt'],
      priority: random.between(1, 5),
      acceptance: [
        { kind: 'files', exist: [`src/${key}.txt`] },
        { kind: 'command', command: `contains src/${key}.txt right` },
      ],
    };
  });
  return { plan: planOf(planned), tasks, failingParts: [2, 3].filter(() => random.chance(0.3)) };
}

const planOf = (tasks: readonly unknown[]): SimulatedTeam['plan'] => ({
  summary: 'A simulated run.',
  strategy: 'parallel',
  why: 'Chance.',
  tasks,
});

/** Three that may be done at once, and one that needs them. */
export function parallelTeam(): SimulatedTeam {
  const keys = ['t1', 't2', 't3', 't4'];
  const read = { name: 'read_file', arguments: { path: 'README.md' } };
  const tell = { name: 'send_message', arguments: { to: 'all', type: 'coordination', content: 'I am at it.' } };
  return {
    plan: planOf(keys.map((key) => plainTask(key, key === 't4' ? ['t1', 't2', 't3'] : []))),
    tasks: new Map(keys.map((key) => [key, { key, character: 'mends', turns: [[read, tell]] }])),
    failingParts: [],
  };
}

/** One that hands two parts on, of which the second is never done. */
export function delegatingTeam(): SimulatedTeam {
  const handOn = (): ScriptedCall => handOnPart('t1');
  return {
    plan: planOf([plainTask('t1', [])]),
    tasks: new Map([['t1', { key: 't1', character: 'good', turns: [[handOn()], [handOn()]] }]]),
    failingParts: [2],
  };
}

function plainTask(key: string, dependsOn: readonly string[]) {
  return {
    key,
    title: `Task ${key}`,
    description: `Write src/${key}.txt.`,
    role: 'coding',
    type: 'generate-code',
    dependsOn,
    writes: [`src/${key}.txt`, `src/${key}-*.txt`],
    acceptance: [{ kind: 'command', command: `contains src/${key}.txt right` }],
  };
}

function handOnPart(key: string): ScriptedCall {
  const args = { title: `A part of ${key}`, description: 'Do it.', role: 'coding', writes: [`src/${key}-*.txt`] };
  return { name: 'delegate_task', arguments: args };
}

function makeTurns(key: string, random: SeededRandom): ScriptedCall[][] {
  const turns: ScriptedCall[][] = [];
  const count = random.between(1, 6);
  for (let turn = 0; turn < count; turn++) {
    const calls = random.chance(0.05) ? 0 : random.between(1, 3);
    turns.push(Array.from({ length: calls }, () => makeCall(key, random)));
  }
  return turns;
}

function makeCall(key: string, random: SeededRandom): ScriptedCall {
  const makers: (() => ScriptedCall)[] = [
    () => ({ name: 'read_file', arguments: { path: random.pick(['README.md', 'shared.txt', 'missing.txt']) ?? '' } }),
    () => ({ name: 'list_files', arguments: {} }),
    () => ({ name: 'search_text', arguments: { query: 'line' } }),
    () => ({
      name: 'write_file',
      arguments: { path: random.chance(0.5) ? 'shared.txt' : `src/${key}.txt`, content: `${key} ${random.next()}\n` },
    }),
    () => ({
      name: 'apply_edit',
      arguments: { path: 'shared.txt', edits: [{ oldText: 'first', newText: `first of ${key}` }] },
    }),
    () => ({ name: 'write_file', arguments: { path: `other/${key}.txt`, content: 'undeclared\n' } }),
    () => ({ name: 'run_command', arguments: { command: `append log.txt ${key}-${random.between(1, 1e6)}` } }),
    () => ({ name: 'run_command', arguments: { command: `append .editorconfig ${key}-${random.between(1, 1e6)}` } }),
    // What others ask for as well.
    () => ({ name: 'run_command', arguments: { command: 'append log.txt again' } }),
    () => ({ name: 'run_tests', arguments: {} }),
    () => ({
      name: 'send_message',
      arguments: {
        to: random.pick(['all', 'coding', 'testing', 'coding-1', 'testing-1', 'nobody']) ?? 'all',
        type: 'coordination',
        content: `${key} says ${random.next()}`,
        priority: random.between(1, 5),
      },
    }),
    () => ({
      name: 'delegate_task',
      arguments: {
        title: `A part of ${key}`,
        description: 'Do it.',
        role: random.pick(ROLES)?.role ?? 'coding',
        writes: [`src/${key}.txt`],
        // Nobody makes the file: such a part fails.
        acceptance: random.chance(0.3) ? [{ kind: 'files', exist: [`parts/${key}.txt`] }] : [],
      },
    }),
    () => ({ name: 'report_progress', arguments: { percent: random.between(0, 100), note: `${key} goes on` } }),
    () => ({ name: 'ask_human', arguments: { question: `What about ${key}?` } }),
    () => ({ name: 'read_file', arguments: '{"path": ' }),
    () => ({ name: 'no_such_tool', arguments: {} }),
  ];
  return (random.pick(makers) ?? makers[0]!)();
}

/** The next answer of a task's model: a function of what was said so far, so that a restart changes nothing. */
export function nextAnswer(
  team: SimulatedTeam,
  taskKey: string,
  told: readonly ConversationEntry[],
): readonly ScriptedCall[] {
  const { repeat, heard: conversation } = afterPutOff(told);
  if (repeat.length > 0) {
    return repeat.map(({ name, argumentsText }) => ({ name, arguments: argumentsText }));
  }
  if (taskKey === 'plan') {
    return [{ name: 'submit_plan', arguments: team.plan }];
  }
  const task = team.tasks.get(taskKey);
  const answers = conversation.filter(({ role }) => role === 'assistant').length;
  if (!task) {
    return doPart(team, taskKey, conversation);
  }
  const scripted = task.turns[answers];
  return scripted ?? claim(task, conversation);
}

/** A part that was handed on; one that is never done has nothing to say but prose. */
function doPart(team: SimulatedTeam, key: string, conversation: readonly ConversationEntry[]): readonly ScriptedCall[] {
  if (team.failingParts.includes(Number(/\d+$/.exec(key)?.[0]))) {
    return [];
  }
  const hasWritten = conversation.some(
    (entry) => entry.role === 'assistant' && entry.toolCalls.some(({ name }) => name === 'write_file'),
  );
  return hasWritten ? finish : [{ name: 'write_file', arguments: { path: `src/${key}.txt`, content: 'right\n' } }];
}

const finish: readonly ScriptedCall[] = [{ name: 'finish_task', arguments: { summary: 'Done.' } }];

function claim(task: SimulatedTask, conversation: readonly ConversationEntry[]): readonly ScriptedCall[] {
  const said = conversation.findLast(({ role }) => role === 'tool')?.text ?? '';
  const lastCall = conversation.findLast((entry) => entry.role === 'assistant')?.toolCalls.at(-1)?.name;
  const write = (path: string, content: string): ScriptedCall => ({ name: 'write_file', arguments: { path, content } });
  const conflict = /carry conflict markers: ([^.]*\.txt(?:, [^.]*\.txt)*)\./.exec(said)?.[1];
  if (lastCall === 'finish_task' && conflict !== undefined) {
    return conflict.split(', ').map((path) => write(path, `right, both sides of ${path}, by ${task.key}\n`));
  }
  const refused = lastCall === 'finish_task' && said.includes('failed');
  const first = !conversation.some(
    (entry) => entry.role === 'assistant' && entry.toolCalls.some(({ name }) => name === 'finish_task'),
  );
  if (task.character === 'never') {
    return finish;
  }
  const ownPath = `src/${task.key}.txt`;
  if (first && lastCall !== 'write_file') {
    return [write(ownPath, task.character === 'mends' ? 'wrong\n' : 'right\n')];
  }
  return refused ? [write(ownPath, 'right\n')] : finish;
}
