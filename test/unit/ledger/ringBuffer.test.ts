import assert from 'node:assert/strict';
import { RingConsumer, ringMemory, RingProducer } from '../../../src/ledger/ringBuffer.ts';
import { SeededRandom } from '../../support/seededRandom.ts';

describe('a ring buffer', () => {
  it('gives every frame once, whole and in order, wherever it lies and however its counts wrap around', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const memory = ringMemory(1024, -random.between(0, 3_000) * 2 + 0x7fffffff);
      const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)];
      const [put, taken]: [string[], string[]] = [[], []];
      let full = 0;
      for (let step = 0; step < 2_000; step++) {
        if (random.between(0, 2) > 0) {
          const bytes = Buffer.alloc(random.between(0, 1100), `${step},`);
          const cut = random.between(0, bytes.length);
          if (producer.put([bytes.subarray(0, cut), bytes.subarray(cut)], step + 2 ** 40)) {
            put.push(words(bytes, step + 2 ** 40));
          } else {
            full++;
          }
        } else {
          const { head } = consumer;
          // What is put meanwhile is not taken.
          if (producer.put([Uint8Array.of(1)], 7)) {
            put.push(words(Uint8Array.of(1), 7));
          }
          for (const { bytes, tag } of consumer.takeUntil(head)) {
            taken.push(words(bytes, tag));
          }
          assert.ok(!consumer.isBefore(head));
        }
      }
      for (const { bytes, tag } of consumer.takeUntil(consumer.head)) {
        taken.push(words(bytes, tag));
      }
      assert.deepEqual(taken, put, `seed ${seed}`);
      assert.ok(full > 100 && taken.length > 300, `seed ${seed}: ${full} found no room, ${taken.length} did`);
    }
  });
});

function words(bytes: Uint8Array, tag: number): string {
  return `${tag}: ${Buffer.from(bytes).toString('latin1')}`;
}
