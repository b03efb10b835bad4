import assert from 'node:assert/strict';
import { killOwners, wakeAnOwner } from '../faults/takeOver.ts';

describe('the owner of a squad', () => {
  const seed = Number(process.env['DEVSQUAD_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  const takeOvers = Number(process.env['DEVSQUAD_TAKE_OVERS'] ?? 6);

  it(`is one at a time and loses nothing when killed, ${takeOvers} times from seed ${seed}`, async () => {
    assert.ok((await killOwners(seed, takeOvers)) > 0);
  }).timeout(30_000 + takeOvers * 4_000);

  it('acknowledges nothing more when it was stopped, taken over from, and wakes', async () => {
    await wakeAnOwner();
  });
});
