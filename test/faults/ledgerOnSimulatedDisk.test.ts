import assert from 'node:assert/strict';
import { seedsOf } from './seeds.ts';
import { surviveCrashes } from './simulatedLedger.ts';

describe('the ledger on a simulated disk', () => {
  const { seeds, first } = seedsOf('DEVSQUAD_DISK_SEEDS', 40);
  it(`loses nothing acknowledged, ${seeds.length} times from seed ${first}`, async () => {
    const left: string[] = [];
    for (const seed of seeds) {
      left.push(...(await surviveCrashes(seed)));
    }
    if (seeds.length > 1) {
      // The disks have been through everything that the ledger does with its files.
      for (const kind of [
        /journal\.[2-9]\.\d+$/,
        /state\.\d+\.\d+$/,
        /blobs\/[0-9a-f]{64}$/,
        /\.run\.run-\d+$/,
        /\.standing$/,
      ]) {
        assert.ok(
          left.some((file) => kind.test(file)),
          `no disk has ${kind.source}`,
        );
      }
      const beginnings = left.filter((file) => file.endsWith('/journal.1.1')).length;
      assert.ok(beginnings < seeds.length / 2, 'segments are not deleted');
    }
  }).timeout(10_000 + seeds.length * 1_000);
});
