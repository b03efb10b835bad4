import assert from 'node:assert/strict';
import { AnswerMeter } from '../../../src/llm/answerMeter.ts';
import { SeededRandom } from '../../support/seededRandom.ts';

describe('the meter of an answer', () => {
  it('asks for the model’s own count only when the answer could be too long', async () => {
    let counts = 0;
    const meter = new AnswerMeter(100, (text) => {
      counts++;
      return Promise.resolve(Math.ceil(text.length / 4));
    });
    for (let pieces = 0; pieces < 40; pieces++) {
      assert.equal(await meter.shareThatFits('ten bytes.'), 1);
    }
    assert.ok(counts < 20, `${counts} counts`);
    assert.ok((await meter.shareThatFits('ten bytes.')) < 1, 'four hundred characters are a hundred tokens');
  });

  it('never takes more than fits, whatever the pieces and the tokenizer', async () => {
    const random = new SeededRandom(7);
    for (let story = 0; story < 200; story++) {
      const bytesPerToken = random.between(1, 6);
      const count = (text: string): Promise<number> =>
        Promise.resolve(Math.ceil(Buffer.byteLength(text) / bytesPerToken));
      const limit = random.between(1, 500);
      const meter = new AnswerMeter(limit, count);
      let taken = '';
      for (let share = 1; share === 1;) {
        const piece = random.pick(['a', 'ü', '日本語', 'x'.repeat(random.between(1, 900))])!;
        share = await meter.shareThatFits(piece);
        taken += piece.slice(0, Math.floor(piece.length * share));
      }
      assert.ok((await count(taken)) <= limit, `${await count(taken)} of ${limit}`);
      assert.ok((await count(taken)) + 1 + 3 / bytesPerToken >= limit, 'and not much less');
    }
  });

  it('takes none of a piece behind what is full already', async () => {
    const meter = new AnswerMeter(2, (text) => Promise.resolve(text.length));
    assert.equal(await meter.shareThatFits('ab'), 1);
    assert.equal(await meter.shareThatFits('c'), 0);
  });
});
