import assert from 'node:assert/strict';
import { HumanError } from '../../../src/domain/errors.ts';
import { openRequests } from '../../../src/domain/requestState.ts';
import { finish, LifeBench, type Say } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

describe('the team’s agents', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  async function open(tasks: readonly object[], say: Say): Promise<void> {
    bench = new LifeBench({ tasks, say });
    await bench.open();
  }

  it('get ids that nobody had before, also after one was sent away and after a restart', async () => {
    await open([], () => finish);
    const { factory } = bench.squad;
    await factory.createAgent('coding', { name: 'Ada', capabilities: ['rust'], specializations: ['parsers'] });
    await factory.createAgent('coding');
    await factory.destroyAgent('coding-2');
    const third = await factory.createAgent('coding');
    await bench.end();
    await bench.open();
    const fourth = await bench.squad.factory.createAgent('coding');

    assert.deepEqual([third.id, fourth.id], ['coding-3', 'coding-4']);
    assert.deepEqual(bench.agent('coding-1')?.capabilities, ['rust']);
    await assert.rejects(bench.squad.factory.destroyAgent('coding-2'), HumanError);
    await assert.rejects(bench.squad.factory.createAgent('deployment'), HumanError);
  });

  it('hand back their task when they are sent away: somebody else does it in a fresh worktree, and no try is used up', async () => {
    await open([planTask('one')], ({ agentId, answers }) =>
      agentId === 'coding-1'
        ? answers === 0
          ? { tool: 'write_file', args: { path: 'left-over.md', content: 'half' } }
          : { tool: 'ask_human', args: { question: 'Shall I?' } }
        : answers === 0
          ? { tool: 'write_file', args: { path: 'made.md', content: 'whole' } }
          : finish,
    );
    await bench.start();
    await bench.until('the question', () => openRequests(bench.run()).length === 1);
    await bench.squad.communication.sendMessage({
      id: 'mail',
      senderId: 'you',
      receiverId: 'coding-1',
      type: 'coordination',
      content: { kind: 'text', text: 'Too late.' },
      priority: 3,
      timestamp: new Date(0),
    });

    await bench.squad.factory.destroyAgent('coding-1');
    await bench.ended();

    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual([bench.task('one')?.attempt, bench.task('one')?.handedBack], [2, 1]);
    assert.equal(bench.task('one')?.agentId, 'coding-2');
    assert.deepEqual(
      bench.run().diff?.files.map(({ path }) => path),
      ['made.md'],
    );
    assert.equal(openRequests(bench.run()).length, 0);
    assert.equal(bench.run().messages['mail']?.status, 'failed');
    assert.equal(bench.agent('coding-1'), undefined);
  });

  it('are as many as somebody wants: new ones idle at once, idle ones gone at once, busy ones after their task', async () => {
    let mayFinish = false;
    const tasks = [planTask('one'), planTask('two')];
    await open(tasks, () => (mayFinish ? finish : { tool: 'report_progress', args: { note: 'at it' } }));
    const { factory } = bench.squad;
    await bench.start();
    await bench.until(
      'both at work',
      () => bench.agents('coding').filter(({ status }) => status === 'busy').length === 2,
    );

    const five = await factory.scaleAgents('coding', 5);
    assert.deepEqual(five.map(({ status }) => status).sort(), ['busy', 'busy', 'idle', 'idle', 'idle']);

    const one = await factory.scaleAgents('coding', 1);
    assert.deepEqual(
      one.map(({ id }) => id),
      ['coding-1'],
    );
    assert.deepEqual(
      bench.agents('coding').map(({ id, draining }) => [id, draining]),
      [
        ['coding-1', false],
        ['coding-2', true],
      ],
    );

    mayFinish = true;
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(
      bench.agents('coding').map(({ id }) => id),
      ['coding-1'],
    );
    assert.equal(bench.of('task-handed-back').length, 0);
    await assert.rejects(factory.scaleAgents('coding', 1.5), HumanError);
    await assert.rejects(factory.scaleAgents('research', 1), HumanError);
  });
});
