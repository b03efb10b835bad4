import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeInPieces } from '../../../src/base/pieces.ts';

describe('writing in pieces', () => {
  const KB = 1024;

  /** What was done: pieces by their KB, and syncs. */
  function stepsOf(...lengths: number[]): (number | 'sync')[] {
    const parts = lengths.map((length) => randomBytes(length));
    const pieces: Uint8Array[] = [];
    const steps: (number | 'sync')[] = [];
    writeInPieces(parts, {
      write: (piece) => {
        pieces.push(piece);
        steps.push(piece.length / KB);
      },
      sync: () => {
        steps.push('sync');
      },
    });
    assert.ok(Buffer.concat(pieces).equals(Buffer.concat(parts)));
    return steps;
  }

  it('writes a small file at once and leaves its sync to the caller', () => {
    assert.deepEqual(stepsOf(100 * KB), [100]);
    assert.deepEqual(stepsOf(0), []);
  });

  it('syncs between the pieces of a large one', () => {
    assert.deepEqual(stepsOf(600 * KB), [256, 'sync', 256, 'sync', 88]);
  });

  it('counts the bytes of all parts', () => {
    assert.deepEqual(stepsOf(100 * KB, 200 * KB, 10 * KB), [100, 200, 'sync', 10]);
  });
});
