import assert from 'node:assert/strict';
import { killUnderLoad } from './killedLedger.ts';
import { seedsOf } from './seeds.ts';

/** On one storage folder; then another is begun, so that looking at all of it does not take longer and longer. */
const KILLS_EACH = 10;

describe('a ledger that is killed under load', () => {
  const kills = Number(process.env['DEVSQUAD_LEDGER_KILLS'] ?? 2);
  const { seeds, first } = seedsOf('DEVSQUAD_LEDGERS', Math.ceil(kills / KILLS_EACH));
  it(`has everything it acknowledged, ${kills} times from seed ${first}`, async () => {
    let acknowledged = 0;
    for (const seed of seeds) {
      acknowledged += await killUnderLoad(seed, Math.min(kills, KILLS_EACH));
    }
    assert.ok(acknowledged > 0);
    console.log(`      ${acknowledged} commits were acknowledged`);
  }).timeout(30_000 + kills * 10_000);
});
