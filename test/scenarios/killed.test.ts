import assert from 'node:assert/strict';
import { killDuringApply } from '../faults/killedApply.ts';
import { killAndResume } from '../faults/killedRun.ts';

describe('a run that is killed', () => {
  const given = process.env['DEVSQUAD_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
  const seeds = (count: number): number[] =>
    Array.from({ length: given === undefined ? count : 1 }, (_, i) => first + i);

  // More of them in the long tests.
  const many = process.env['DEVSQUAD_KILLS'];
  const anywhere = seeds(Number(many ?? 2));
  it(`ends in the same tree with no effect twice, ${anywhere.length} times from seed ${first}`, async () => {
    const trees: string[] = [];
    for (const seed of anywhere) {
      trees.push(await killAndResume(seed));
    }
    assert.equal(new Set(trees).size, 1, `trees: ${trees.join(', ')}`);
    assert.match(trees[0] ?? '', /^[0-9a-f]{40}$/);
  }).timeout(anywhere.length * 90_000);

  const during = seeds(many === undefined ? 1 : 3);
  it(`while it writes an Apply has every file right afterwards, ${during.length} times from seed ${first}`, async () => {
    for (const seed of during) {
      await killDuringApply(seed);
    }
  }).timeout(during.length * 90_000);
});
