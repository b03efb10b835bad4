import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openRequests } from '../../../src/domain/requestState.ts';
import { watchForLeaks } from '../../support/leakCheck.ts';
import { finish, LifeBench, type Say } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

describe('a squad that closes', () => {
  let bench: LifeBench;
  let expectNoLeaks: (folder: string) => Promise<void>;
  afterEach(() => bench.dispose());

  async function open(tasks: readonly object[], say: Say): Promise<void> {
    expectNoLeaks = await watchForLeaks();
    bench = new LifeBench({ tasks, say });
    await bench.open();
    await bench.start({ maxAgents: 2 });
  }

  const types = (): string[] => bench.events.map(({ type }) => type);

  it('lets the call under way end, begins no other, and goes on from there at the next start', async () => {
    await open([planTask('one')], ({ answers }) =>
      answers === 0 ? { tool: 'run_command', args: { command: 'sleep 0.4; echo whole > made.md' } } : finish,
    );
    const underWay = (): boolean => bench.task('one')?.openCall !== undefined;
    await bench.until('the command', underWay);
    await bench.end();

    assert.deepEqual(types().slice(-2), ['tool-call-ended', 'work-clocked']);
    await expectNoLeaks(bench.folder);
    await bench.open();
    bench.squad.runs.resumeInterrupted();
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.of('tool-call-started').filter(({ tool }) => tool === 'run_command').length, 1);
    assert.deepEqual(
      bench.run().diff?.files.map((file) => file.path),
      ['made.md'],
    );
  });

  it('cuts a call that does not end in time; nothing is left of its process', async () => {
    await open([planTask('one')], ({ told, answers }) =>
      answers === 0
        ? { tool: 'run_command', args: { command: 'sleep 600; touch late' } }
        : told.includes('restarted while')
          ? finish
          : undefined,
    );
    await bench.until('the command', () => bench.task('one')?.openCall !== undefined);
    const ending = bench.end();
    const ticking = setInterval(() => {
      bench.clock.advance(500);
    }, 10);
    await ending;
    clearInterval(ticking);

    await expectNoLeaks(bench.folder);
    await bench.open();
    bench.squad.runs.resumeInterrupted();
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.ok(!existsSync(path.join(bench.storage, 'late')));
  });

  it('does not wait for who waits for a person', async () => {
    await open([planTask('one')], ({ answers }) =>
      answers === 0 ? { tool: 'ask_human', args: { question: 'Which?' } } : finish,
    );
    await bench.until('the question', () => openRequests(bench.run()).length === 1);
    const before = bench.clock.now();
    await bench.end();
    assert.equal(bench.clock.now(), before);
    await expectNoLeaks(bench.folder);

    await bench.open();
    bench.squad.runs.resumeInterrupted();
    assert.equal(openRequests(bench.run()).length, 1);
    await bench.squad.inbox.answer(openRequests(bench.run())[0]!.id, { kind: 'text', text: 'This' }, 'terminal');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
  });

  it('hands back what an agent was given and had not begun', async () => {
    await open([planTask('one')], () => finish);
    let closing: Promise<void> | undefined;
    bench.ledger.onDidAppend(({ type, taskId }) => {
      if (type === 'task-delegated' && taskId?.endsWith('.one')) {
        closing = bench.end();
      }
    });
    await bench.until('the end', () => closing !== undefined);
    await closing;
    assert.match(bench.of('task-handed-back')[0]?.reason ?? '', /closes before it was begun/);

    await bench.open();
    bench.squad.runs.resumeInterrupted();
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded');
    assert.equal(bench.task('one')?.handedBack, 1);
  });
});
