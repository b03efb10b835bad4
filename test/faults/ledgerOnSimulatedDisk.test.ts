import { surviveCrashes } from './simulatedLedger.ts';
import { seedsOf } from './seeds.ts';

describe('the ledger on a simulated disk', () => {
  const { seeds, first } = seedsOf('DEVSQUAD_DISK_SEEDS', 60);
  it(`loses nothing acknowledged, ${seeds.length} times from seed ${first}`, async () => {
    for (const seed of seeds) {
      await surviveCrashes(seed);
    }
  }).timeout(10_000 + seeds.length * 500);
});
