import assert from 'node:assert/strict';
import { surviveDamage } from './damagedLedger.ts';
import { seedsOf } from './seeds.ts';

describe('a ledger whose file was damaged', () => {
  const { seeds, first } = seedsOf('DEVSQUAD_DAMAGES', 25);
  it(`reads nothing wrong and overwrites nothing, ${seeds.length} times from seed ${first}`, async () => {
    const ends: Record<string, number> = {};
    for (const seed of seeds) {
      const end = await surviveDamage(seed);
      ends[end] = (ends[end] ?? 0) + 1;
    }
    assert.ok(seeds.length < 100 || (ends['told'] ?? 0) > seeds.length / 10, JSON.stringify(ends));
  }).timeout(10_000 + seeds.length * 1_000);
});
