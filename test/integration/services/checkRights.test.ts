import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openRequests } from '../../../src/domain/requestState.ts';
import { finish, LifeBench, type Say } from '../../support/lifeBench.ts';
import { planTask } from '../../support/scriptedRun.ts';

const CHECK = { kind: 'command', command: 'sh tools/check.sh' };
const write = (file: string, content: string) => ({ tool: 'write_file', args: { path: file, content } });

describe('what the host runs as a check', () => {
  let bench: LifeBench;
  afterEach(() => bench.dispose());

  async function run(lines: Record<string, readonly ReturnType<Say>[]>, tasks: readonly object[]): Promise<void> {
    bench = new LifeBench({ tasks, say: ({ key, answers }) => lines[key]?.[answers] ?? finish });
    mkdirSync(path.join(bench.workspace, 'tools'));
    writeFileSync(path.join(bench.workspace, 'tools/check.sh'), 'grep -q Here README.md\n');
    await bench.open();
    await bench.start({ approve: ['writes'] });
    await bench.until('the plan', () => openRequests(bench.run()).length === 1);
  }

  const waiting = () => openRequests(bench.run()).map(({ id, subject }) => ({ id, subject }));
  const answer = (kind: 'allow' | 'deny', place = 0): Promise<void> =>
    bench.squad.inbox.answer(waiting()[place]?.id ?? '', { kind }, 'terminal');

  it('is what the plan showed, with the texts it runs, and nobody is asked again as long as they are the same', async () => {
    await run({}, [planTask('one', { acceptance: [CHECK] }), planTask('two', { acceptance: [CHECK] })]);
    const [plan] = waiting();
    assert.ok(plan?.subject.kind === 'plan');
    assert.match(JSON.stringify(plan.subject.checks), /grep -q Here/);
    await answer('allow');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
    assert.equal(bench.of('request-opened').length, 1);
  });

  it('is asked about anew when a task has changed what it runs, on the task’s tree and on the merged one', async () => {
    const evil = 'touch PWNED; true\n';
    await run({ one: [write('tools/check.sh', evil)], two: [] }, [
      planTask('one', { acceptance: [CHECK] }),
      planTask('two', { acceptance: [CHECK], dependsOn: ['one'] }),
    ]);
    await answer('allow');
    await bench.until('the question', () => waiting().length === 1);
    const [asked] = waiting();
    assert.ok(asked?.subject.kind === 'command' && asked.subject.runs?.[0]?.text === evil);
    assert.equal(bench.of('check-ended').length, 0);
    await answer('deny');
    await bench.until('the next question', () => waiting().length === 1 && waiting()[0]?.id !== asked.id);
    assert.match(bench.of('check-ended')[0]?.result.summary ?? '', /did not allow the check sh tools\/check\.sh/);
    assert.ok(!existsSync(path.join(bench.workspace, 'PWNED')));

    // The person looks at it once more and takes it: then it is allowed in the whole run.
    await answer('allow');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
    assert.equal(bench.of('request-opened').filter(({ taskId }) => taskId?.endsWith('two')).length, 0);
  });

  it('is nothing that an agent may run by itself', async () => {
    await run({ one: [{ tool: 'run_command', args: { command: CHECK.command } }] }, [
      planTask('one', { acceptance: [CHECK] }),
    ]);
    await answer('allow');
    await bench.until('the question', () => waiting().length === 1);
    assert.match(JSON.stringify(waiting()[0]?.subject), /check\.sh/);
    await answer('allow');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
  });

  it('is asked about again after a crash in the middle of the question', async () => {
    await run({ one: [write('tools/check.sh', 'true\n')] }, [planTask('one', { acceptance: [CHECK] })]);
    await answer('allow');
    await bench.until('the question', () => waiting().length === 1);
    const [before] = waiting();
    await bench.end();
    await bench.open();
    bench.squad.runs.resumeAll('terminal');
    assert.deepEqual(waiting(), [before]);
    await answer('allow');
    await bench.ended();
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
    assert.equal(bench.of('request-opened').filter(({ request }) => request.id === before?.id).length, 1);
  });
});
