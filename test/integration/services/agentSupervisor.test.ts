import assert from 'node:assert/strict';
import { openRequests } from '../../../src/domain/requestState.ts';
import { MOST_RESTARTS, SILENT_MS } from '../../../src/domain/supervision.ts';
import { finish, LifeBench, readNothing, type Say } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

const MINUTE_MS = 60_000;
const write = { tool: 'write_file', args: { path: 'made.md', content: 'made\n' } };

describe('the supervisor', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  async function open(say: Say, roles?: LifeBench['roles']): Promise<void> {
    bench = new LifeBench({ tasks: [planTask('one')], say, roles });
    await bench.open();
    await bench.start();
  }

  const health = (id: string) => bench.squad.factory.getAgentHealth(id);
  const statusOf = (id: string) => bench.agent(id)?.status;

  it('cuts an agent that nothing is heard of, and starts it again where it was', async () => {
    let asked = 0;
    await open(({ answers }) => {
      asked++;
      return answers === 0 ? write : asked === 2 ? undefined : finish;
    });
    await bench.until('the silent call', () => asked === 2);
    assert.equal((await health('coding-1')).word, 'beating');
    bench.clock.advance(2 * MINUTE_MS);
    const silent = await health('coding-1');
    assert.equal(silent.word, 'silent');
    assert.equal(silent.currentCall?.kind, 'model');

    await bench.ended(10_000);

    assert.equal(bench.run().status, 'succeeded');
    const [cut] = bench.of('agent-silent');
    assert.ok((cut?.silentMs ?? 0) >= SILENT_MS);
    assert.equal(cut?.input, true);
    assert.deepEqual(
      bench.of('agent-restart-planned').map(({ trouble, fresh, delayMs }) => [trouble, fresh, delayMs]),
      [['silent', false, 500]],
    );
    assert.equal(bench.of('conversation-opened').filter(({ taskId }) => taskId?.endsWith('.one')).length, 1);
    assert.deepEqual(
      bench.run().diff?.files.map(({ path }) => path),
      ['made.md'],
    );
    assert.equal((await health('coding-1')).restarts, 1);
  });

  it('leaves in peace who waits for a person, whose run is paused, and whose tool still prints', async () => {
    await open(({ answers }) =>
      answers === 0
        ? { tool: 'ask_human', args: { question: 'Which?' } }
        : answers === 1
          ? { tool: 'run_command', args: { command: 'sleep 0.2; echo on' } }
          : finish,
    );
    const { runs, inbox } = bench.squad;
    await bench.until('the question', () => openRequests(bench.run()).length === 1);
    bench.clock.advance(60 * MINUTE_MS);
    assert.equal((await health('coding-1')).word, 'waiting');
    await runs.pause(bench.run().id);
    await inbox.answer(openRequests(bench.run())[0]!.id, { kind: 'text', text: 'This.' }, 'terminal');
    for (let i = 0; i < 60; i++) {
      bench.clock.advance(MINUTE_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await runs.resume(bench.run().id, 'terminal');
    await bench.ended();

    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(bench.of('agent-silent'), []);
  });

  it('tells an agent that it goes in circles, starts it afresh once, and then lets somebody try anew', async () => {
    await open(({ told }) => (told.includes('An earlier try') ? finish : readNothing));
    await bench.until('the nudge', () =>
      bench.of('conversation-noted').some(({ text }) => text.includes('3 times in a row')),
    );
    await bench.ended(100);

    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.of('agent-stuck').length, 2);
    assert.deepEqual(
      bench.of('agent-restarted').map(({ fresh }) => fresh),
      [true],
    );
    assert.equal(bench.of('task-retried').length, 1);
    assert.equal(bench.of('agent-given-up').length, 0);
    const briefs = bench.of('conversation-opened').filter(({ taskId }) => taskId?.endsWith('.one'));
    assert.match(briefs[1]?.brief ?? '', /started afresh: The model made the same call 6 times/);
  });

  it('says of an agent in circles that it is stuck, since when it made no progress', async () => {
    let asked = 0;
    await open(() => (++asked > 4 ? undefined : readNothing));
    await bench.until('the fifth call', () => asked === 5);
    const stuck = await health('coding-1');
    assert.equal(stuck.word, 'stuck');
    assert.equal(stuck.spent.modelCalls, 4);
    assert.ok(stuck.lastProgressAt);
  });

  it('starts an agent again whose code throws, later each time, and does not fail its task at once', async () => {
    let crashes = 0;
    await open(
      () => finish,
      (builtIn) => ({
        ...builtIn,
        coding: (identity) => ({
          processTask: (work) => {
            if (++crashes <= 2) {
              throw new TypeError('undefined is not a function');
            }
            return builtIn.coding!(identity).processTask(work);
          },
        }),
      }),
    );
    await bench.ended(100);

    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(
      bench.of('agent-restart-planned').map(({ delayMs }) => delayMs),
      [500, 1000],
    );
    assert.match(bench.of('agent-crashed')[0]?.reason ?? '', /coding-1 crashed: undefined is not a function/);
    assert.equal(bench.task('one')?.attempt, 1);
  });

  it('gives an agent up that keeps crashing, gives its task to another one, and asks the person about it', async () => {
    await open(
      () => finish,
      (builtIn) => ({
        ...builtIn,
        coding: (identity) =>
          identity.id === 'coding-1'
            ? { processTask: () => Promise.reject(new Error('broken')) }
            : builtIn.coding!(identity),
      }),
    );
    await bench.until('the end of it', () => bench.of('agent-given-up').length === 1, 500);
    const question = openRequests(bench.run())[0]!;
    assert.equal(question.agentId, 'coding-1');
    assert.match(
      question.subject.kind === 'question' ? question.subject.question : '',
      /coding-1 was started again 3 times within 30 minutes and could not go on\. coding-1 crashed: broken/,
    );
    assert.equal(bench.of('agent-restarted').length, MOST_RESTARTS);
    assert.equal(statusOf('coding-1'), 'error');
    assert.equal((await health('coding-1')).word, 'error');

    await bench.squad.inbox.answer(question.id, { kind: 'text', text: 'Bring it back' }, 'terminal');
    await bench.until('it is back', () => statusOf('coding-1') === 'idle');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.task('one')?.agentId, 'coding-2');
  });

  it('fails a task that nobody can do with the reason, and brings the agents back when a person recovers', async () => {
    await open(
      () => finish,
      (builtIn) => ({ ...builtIn, coding: () => ({ processTask: () => Promise.reject(new Error('broken')) }) }),
    );
    await bench.ended(500);

    assert.equal(bench.run().status, 'failed');
    assert.match(bench.run().reason ?? '', /coding-2 was started again 3 times .*broken/);
    assert.deepEqual([statusOf('coding-1'), statusOf('coding-2')], ['error', 'error']);
    await bench.end();
    await bench.open();
    bench.squad.runs.resumeAll('terminal');
    assert.deepEqual([statusOf('coding-1'), statusOf('coding-2')], ['idle', 'idle']);
  });

  it('does not wait for code that does not listen, and nothing that it still does counts', async () => {
    let late: (() => void) | undefined;
    let starts = 0;
    await open(
      () => finish,
      (builtIn) => ({
        ...builtIn,
        coding: (identity) => ({
          processTask: async (work) => {
            if (++starts === 1) {
              await new Promise<void>((resolve) => (late = resolve));
              return { outcome: 'gave-up', reason: 'Long ago.' };
            }
            return builtIn.coding!(identity).processTask(work);
          },
        }),
      }),
    );
    await bench.until('the restart', () => starts === 2, 20_000);
    late?.();
    await bench.ended(100);
    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.of('task-retried').length, 0);
  });

  it('goes on with a restart that a crash of the host cut short', async () => {
    let broken = true;
    await open(
      () => finish,
      (builtIn) => ({
        ...builtIn,
        coding: (identity) =>
          broken ? { processTask: () => Promise.reject(new Error('broken')) } : builtIn.coding!(identity),
      }),
    );
    await bench.until('the plan to restart', () => bench.of('agent-restart-planned').length === 1);
    assert.equal(statusOf('coding-1'), 'error');
    await bench.end();
    broken = false;
    await bench.open();
    bench.squad.runs.resumeInterrupted();
    await bench.ended(500);
    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.of('agent-restarted').length, 1);
  });

  it('leaves a failure of the model to the model’s own rules', async () => {
    const { ModelError } = await import('../../../src/domain/errors.ts');
    await open(() => {
      throw new ModelError('authentication', 'The key is wrong.');
    });
    await bench.ended();
    assert.equal(bench.run().reason, 'The key is wrong.');
    assert.deepEqual(bench.of('agent-crashed'), []);
  });
});
