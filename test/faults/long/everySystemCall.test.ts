import assert from 'node:assert/strict';
import { disturb, hasStrace, sites } from '../everySystemCall.ts';

describe('a ledger that is disturbed at every system call of its commits and images', () => {
  for (const how of ['kill', 'error'] as const) {
    it(`loses nothing acknowledged: ${how}`, async () => {
      assert.ok(hasStrace(), 'strace is missing: install the Debian package of that name, and run this again');
      const all = sites();
      const ends: number[] = [];
      for (const site of all) {
        ends.push(await disturb(site, how));
      }
      console.log(
        `      ${all.length} system calls, from ${Math.min(...ends)} to ${Math.max(...ends)} commits acknowledged`,
      );
      // Commits, blobs, images and archives were all met.
      for (const kind of [/^journal\./, /^blobs\//, /^state\./, /^archive\//]) {
        assert.ok(
          all.some(({ file }) => kind.test(file)),
          kind.source,
        );
      }
    }).timeout(1_200_000);
  }
});
