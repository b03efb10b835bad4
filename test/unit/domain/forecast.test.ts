import assert from 'node:assert/strict';
import { forecastOf, forecastWords, toGoOf } from '../../../src/domain/forecast.ts';
import { DoneTasks } from '../../support/doneTasks.ts';

describe('the forecast of a run', () => {
  it('is nothing where no tasks of such a kind were done here before', () => {
    const record = new DoneTasks();
    assert.equal(forecastOf(record.log.state, record.planned('generate-code')), undefined);
    record.past('generate-code', [1000]);
    assert.equal(forecastOf(record.log.state, record.planned('generate-code')), undefined, 'one is no record');
    record.past('generate-code', [3000]);
    assert.equal(forecastOf(record.log.state, record.planned('generate-code', 'generate-tests')), undefined);
  });

  it('is what such tasks came to, with failed ones, and as wide as they were apart', () => {
    const record = new DoneTasks();
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
    const record = new DoneTasks();
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

  it('says what is left to spend, in tokens and, where a price is known, in dollars', () => {
    const unpriced = new DoneTasks();
    unpriced.past('generate-code', [120_000, 160_000, 200_000]);
    const first = unpriced.planned('generate-code');
    assert.deepEqual(toGoOf(unpriced.log.state, first), { words: 'about 120k–200k tokens to go', record: 3 });

    const record = new DoneTasks(4);
    record.past('generate-code', [120_000, 160_000, 200_000]);
    const { id } = record.planned('generate-code');
    const words = (): string | undefined => toGoOf(record.log.state, record.run(id))?.words;
    assert.equal(words(), 'about $0.48–0.80, 120k–200k tokens to go');
    record.task(id, 't0', { role: 'coding', type: 'generate-code' }, 150_000);
    assert.equal(words(), 'about $0.00–0.20, 0–50k tokens to go', 'what is spent is not to go');
    record.log.add({ type: 'task-proven', runId: id, taskId: `${id}.t0`, commit: 'c', tree: 't' });
    assert.equal(words(), undefined);

    const same = new DoneTasks(400);
    same.past('generate-code', [5_250_000, 5_250_000]);
    const last = same.planned('generate-code');
    assert.equal(toGoOf(same.log.state, last)?.words, 'about $2100.00, 5.3M tokens to go');
  });

  it('of a thousand tasks looks at each record once', () => {
    const record = new DoneTasks();
    record.past(
      'generate-code',
      Array.from({ length: 1000 }, (_, index) => 1000 + index),
    );
    const run = record.planned(...Array.from({ length: 1000 }, () => 'generate-code' as const));
    const since = performance.now();
    assert.ok(toGoOf(record.log.state, run));
    // It is told with whatever a page is sent; every record beside every task would take many seconds.
    assert.ok(performance.now() - since < 2000, `${Math.round(performance.now() - since)} ms`);
  });
});
