import assert from 'node:assert/strict';
import type { Limits } from '../../../src/domain/limits.ts';
import { IDLE_MS } from '../../../src/services/agentPool.ts';
import { finish, LifeBench, readNothing, type Say } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

const names = ['one', 'two', 'three', 'four'];

describe('a role’s agents', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  async function open(say: Say = () => finish): Promise<void> {
    bench = new LifeBench({ tasks: names.map((name) => planTask(name)), say });
    await bench.open();
  }

  const living = (): string[] => bench.agents('coding').map(({ id }) => id);
  const mostAtOnce = (): number => {
    let [now, most] = [0, 0];
    for (const { type, taskId } of bench.events) {
      const isWork = names.some((name) => taskId?.endsWith(`.${name}`));
      now += isWork ? (type === 'task-delegated' ? 1 : type === 'task-proven' ? -1 : 0) : 0;
      most = Math.max(most, now);
    }
    return most;
  };

  it('become as many as ready tasks wait, within what the run allows, and go again when nobody needs them', async () => {
    await open();
    await bench.start({ maxAgents: 3 });
    await bench.ended();
    assert.deepEqual(living(), ['coding-1', 'coding-2', 'coding-3']);
    assert.equal(mostAtOnce(), 3);

    await bench.until('they go', () => living().length === 1, IDLE_MS / 4);
    assert.deepEqual(living(), ['coding-1']);
    assert.deepEqual(
      bench
        .of('agent-idled')
        .map(({ agentId, input }) => [agentId, input])
        .sort(),
      [
        ['coding-2', true],
        ['coding-3', true],
      ],
    );
  });

  it('are never more than the limit of their role: what is ready waits its turn', async () => {
    await open();
    await bench.start({ maxAgents: 4, limits: { agentsPerRole: 2 } });
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(living(), ['coding-1', 'coding-2']);
    assert.equal(mostAtOnce(), 2);
  });

  it('are the number that a person chose, whatever the queue asks for', async () => {
    await open();
    await bench.squad.factory.scaleAgents('coding', 1);
    await bench.start({ maxAgents: 4 });
    await bench.ended();
    assert.equal(mostAtOnce(), 1);
    await bench.squad.factory.scaleAgents('coding', 2);
    bench.clock.advance(2 * IDLE_MS);
    await bench.until('nothing', () => true);
    assert.deepEqual(living(), ['coding-1', 'coding-2']);
  });

  describe('end a try with a clear sentence at the limit of', () => {
    const cases: [string, Partial<Limits>, RegExp, number?][] = [
      ['tokens', { agentTokens: 1 }, /spent \d+ tokens on this try; 1 is the limit for one agent and task/],
      ['model calls', { agentModelCalls: 2 }, /asked its model 2 times on this try; 2 is the limit/],
      ['time', { agentMinutes: 1 }, /worked \d+ minutes on this try; 1 is the limit/, 5_000],
    ];
    for (const [name, limits, sentence, stepMs = 0] of cases) {
      it(name, async () => {
        bench = new LifeBench({
          tasks: [planTask('one')],
          say: ({ answers }) =>
            answers % 2 === 0 ? readNothing : { tool: 'report_progress', args: { note: `step ${answers}` } },
        });
        await bench.open();
        await bench.start({ limits });
        await bench.until('the task at work', () => bench.task('one')?.startedAt !== undefined);
        await bench.ended(stepMs);
        assert.equal(bench.run().status, 'failed');
        assert.match(bench.run().reason ?? '', sentence);
        assert.equal(bench.of('task-retried').length, 1);
      });
    }

    it('messages, and the agent goes on without writing', async () => {
      bench = new LifeBench({
        tasks: [planTask('one')],
        say: ({ answers }) =>
          answers < 2
            ? { tool: 'send_message', args: { to: 'planning', type: 'coordination', content: `Letter ${answers}` } }
            : finish,
      });
      await bench.open();
      await bench.start({ limits: { agentMessages: 1 } });
      await bench.ended();
      assert.equal(bench.run().status, 'succeeded');
      assert.ok(
        bench
          .of('tool-call-ended')
          .some(({ result }) => result.includes('You have sent 1 messages on this task, and 1 is the limit')),
      );
    });
  });
});
