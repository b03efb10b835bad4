import assert from 'node:assert/strict';
import { forecastOf, forecastWords } from '../../../src/domain/forecast.ts';
import type { RunView } from '../../../src/domain/squadState.ts';
import { anyAgent, anyOptions, anyPlanTask, anyTask, EventLog } from '../../support/builders.ts';

/** A squad with a record: each number a task that came to so many tokens. */
class Record {
  readonly log = new EventLog();
  private runs = 0;
  private calls = 0;

  /** One run whose tasks of that type have ended. */
  past(type: 'generate-code' | 'generate-tests', tokens: readonly number[], how: 'proven' | 'failed' = 'proven'): void {
    const role = type === 'generate-code' ? 'coding' : 'testing';
    const runId = this.begin();
    for (const [index, each] of tokens.entries()) {
      this.task(runId, `t${index}`, { role, type }, each);
      const ids = { runId, taskId: `${runId}.t${index}` };
      this.log.add(
        how === 'proven'
          ? { type: 'task-proven', ...ids, commit: 'c', tree: 't' }
          : { type: 'task-failed', ...ids, reason: 'It did not work.' },
      );
    }
  }

  begin(): string {
    const runId = `run-${++this.runs}`;
    this.log.add({ type: 'run-started', runId, objective: 'Greet', options: anyOptions() });
    return runId;
  }

  task(runId: string, key: string, kind: Pick<ReturnType<typeof anyTask>, 'role' | 'type'>, tokens: number): void {
    const ids = { runId, taskId: `${runId}.${key}` };
    const [agentId, callId] = [`a-${++this.calls}`, `${runId}/call-${this.calls}`];
    const usage = { inputTokens: tokens, outputTokens: 0, source: 'provider' as const };
    this.log.add(
      { type: 'agent-created', agent: anyAgent({ id: agentId }) },
      { type: 'task-created', ...ids, task: anyTask({ id: ids.taskId, runId, key, ...kind }) },
      { type: 'task-ready', ...ids },
      { type: 'task-delegated', ...ids, agentId, candidates: [] },
      { type: 'task-started', ...ids },
    );
    if (tokens > 0) {
      const answer = { text: '', toolCalls: [], finishReason: 'stop' as const };
      this.log.add(
        { type: 'model-call-started', ...ids, callId, model: 'm', reservedTokens: tokens },
        { type: 'model-call-ended', ...ids, callId, model: 'm', answer, usage },
      );
    }
  }

  planned(...types: ('generate-code' | 'generate-tests')[]): RunView {
    const runId = this.begin();
    const tasks = types.map((type, index) =>
      anyPlanTask({ key: `t${index}`, type, role: type === 'generate-code' ? 'coding' : 'testing' }),
    );
    const plan = { summary: '', strategy: 'parallel' as const, why: '', tasks };
    this.log.add({ type: 'plan-submitted', runId, plan, revision: 1 });
    return this.run(runId);
  }

  run(runId: string): RunView {
    return this.log.state.runs[runId]!;
  }
}

describe('the forecast of a run', () => {
  it('is nothing where no tasks of such a kind were done here before', () => {
    const record = new Record();
    assert.equal(forecastOf(record.log.state, record.planned('generate-code')), undefined);
    record.past('generate-code', [1000]);
    assert.equal(forecastOf(record.log.state, record.planned('generate-code')), undefined, 'one is no record');
    record.past('generate-code', [3000]);
    assert.equal(forecastOf(record.log.state, record.planned('generate-code', 'generate-tests')), undefined);
  });

  it('is what such tasks came to, with failed ones, and as wide as they were apart', () => {
    const record = new Record();
    record.past('generate-code', [1000, 2000, 3000]);
    record.past('generate-code', [6000], 'failed');
    record.past('generate-tests', [500, 500]);
    const run = record.planned('generate-code', 'generate-code', 'generate-tests');
    const { low, likely, high, record: from } = forecastOf(record.log.state, run)!;
    assert.equal(likely, 2500 + 2500 + 500);
    assert.equal(low, Math.round(5500 - Math.sqrt(2 * 1500 ** 2)));
    assert.equal(high, Math.round(5500 + Math.sqrt(2 * 3500 ** 2)));
    assert.equal(from, 6);
    assert.match(
      forecastWords(record.log.state, run) ?? '',
      /^about 5,500 tokens \(3,400 to 10,000\), by 6 tasks done here before$/,
    );
  });

  it('counts what is spent already, and comes true at the end', () => {
    const record = new Record();
    record.past('generate-code', [1000, 1000]);
    const { id } = record.planned('generate-code', 'generate-code');
    record.task(id, 't0', { role: 'coding', type: 'generate-code' }, 700);
    assert.equal(forecastOf(record.log.state, record.run(id))?.likely, 2000);
    record.task(id, 't1', { role: 'coding', type: 'generate-code' }, 4000);
    assert.equal(forecastOf(record.log.state, record.run(id))?.likely, 5000, 'it has passed the record');
    for (const key of ['t0', 't1']) {
      record.log.add({ type: 'task-proven', runId: id, taskId: `${id}.${key}`, commit: 'c', tree: 't' });
    }
    assert.equal(forecastOf(record.log.state, record.run(id)), undefined, 'nothing is left to foretell');
  });
});
