import assert from 'node:assert/strict';
import { killAndResume } from '../faults/killedRun.ts';

describe('a run that is killed', () => {
  const given = process.env['DEVSQUAD_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 1_000_000) : Number(given);
  const count = given === undefined ? 5 : 1;

  it(`ends in the same tree with no effect twice, ${count} times from seed ${first}`, async () => {
    const trees: string[] = [];
    for (let seed = first; seed < first + count; seed++) {
      trees.push(await killAndResume(seed));
    }
    assert.equal(new Set(trees).size, 1, `trees: ${trees.join(', ')}`);
    assert.match(trees[0] ?? '', /^[0-9a-f]{40}$/);
  }).timeout(180_000);
});
