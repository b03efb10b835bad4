import assert from 'node:assert/strict';
import { commitOf, decodeRecord, encodeRecord } from '../../../src/ledger/journalRecord.ts';
import { scanSegment } from '../../../src/ledger/segmentScan.ts';

const EPOCH = 3;
const AHEAD = Buffer.alloc(4_096);
const record = (sequence: number, length = 700): Buffer<ArrayBuffer> =>
  encodeRecord(sequence, EPOCH, `{"x":"${'y'.repeat(length)}"}`);
/** A commit of one event, then one of three, then zeros. */
const first = commitOf([record(1)]);
const segment = (): Buffer =>
  Buffer.concat([first, commitOf([record(2), Buffer.concat([record(3), record(4)])]), AHEAD]);

function found(bytes: Buffer): { sequences: number[]; fault: string | undefined } {
  const { records, fault } = scanSegment(bytes, EPOCH);
  return { sequences: records.map(({ sequence }) => sequence), fault: fault?.kind };
}

describe('a segment of the journal', () => {
  it('ends where the zeros begin that were written ahead', () => {
    assert.deepEqual(found(segment()), { sequences: [1, 2, 3, 4], fault: undefined });
    assert.deepEqual(found(AHEAD), { sequences: [], fault: undefined });
  });

  it('knows sequences that take more than 32 bits', () => {
    const sequences = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
    for (const sequence of sequences) {
      assert.equal(decodeRecord(commitOf([record(sequence)]), 0)?.sequence, sequence);
    }
  });

  it('knows its last write for one that was cut off, whichever of its sectors are missing', () => {
    const end = segment().length - AHEAD.length;
    const sectors = Array.from({ length: Math.ceil(end / 512) }, (_, index) => index * 512).filter(
      (at) => at > first.length,
    );
    for (let missing = 1; missing < 2 ** sectors.length; missing++) {
      const bytes = segment();
      for (const [index, at] of sectors.entries()) {
        bytes.fill(0, at, missing & (1 << index) ? at + 512 : at);
      }
      const { sequences, fault } = found(bytes);
      assert.deepEqual(sequences, [1, 2, 3].slice(0, sequences.length), `sectors ${missing.toString(2)}`);
      assert.notEqual(fault, 'damaged', `sectors ${missing.toString(2)}`);
    }
  });

  it('knows its last write for one that was cut off at any byte', () => {
    for (let cut = first.length; cut < segment().length - AHEAD.length; cut += 3) {
      const { fault } = found(segment().fill(0, cut));
      assert.notEqual(fault, 'damaged', `cut at ${cut}`);
    }
  });

  it('is damaged where a bit has flipped, also in its last write', () => {
    const end = segment().length - AHEAD.length;
    const lastLength = end - record(4).length;
    for (let at = first.length; at < end; at += 3) {
      if (at >= lastLength && at < lastLength + 4) {
        // A length that leads out of the file is what a cut leaves, too.
        continue;
      }
      const bytes = segment();
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x04, at);
      assert.equal(found(bytes).fault, 'damaged', `byte ${at}`);
    }
  });

  it('is damaged where sectors are missing of what was whole when the next was written', () => {
    const bytes = Buffer.concat([segment().subarray(0, -AHEAD.length), commitOf([record(5)]), AHEAD]).fill(
      0,
      1_024,
      1_536,
    );
    assert.deepEqual(found(bytes), { sequences: [1, 4, 5], fault: 'damaged' });
  });
});
