import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readImage, writeImage } from '../../../src/store/sqljs/imageFiles.ts';
import { openTables } from '../../support/openTables.ts';

describe('the image of the tables on disk', () => {
  let folder: string;
  let image: Uint8Array;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'devsquad-image-'));
    const tables = await openTables();
    image = tables.image();
    tables.close();
    writeImage(folder, image, { lastSequence: 7, schemaHash: 'present' });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const file = (name: string): string => path.join(folder, name);
  const read = (schemaHash = 'present') => readImage({ folder, schemaHash, ledgerSequence: 7 });

  it('is used when it is whole', () => {
    assert.deepEqual(Buffer.from(read().image ?? []), Buffer.from(image));
    assert.equal(read().lastSequence, 7);
  });

  for (const [what, length] of [
    ['cut in half', 0.5],
    ['cut to one byte', 0],
  ] as const) {
    it(`is put aside, kept and made anew when it was ${what}`, () => {
      truncateSync(file('tables.sqlite'), Math.max(1, Math.floor(image.length * length)));
      const torn = readFileSync(file('tables.sqlite'));
      const { image: found, lastSequence, setAside } = read();
      assert.deepEqual([found, lastSequence], [undefined, 0]);
      const kept = setAside.find((name) => name.startsWith('tables.sqlite'));
      assert.ok(kept !== undefined, setAside.join());
      assert.deepEqual(readFileSync(file(kept)), torn);
      assert.ok(!existsSync(file('tables.sqlite')));
    });
  }

  it('is put aside when a bit of it was flipped, or when another file lies in its place', () => {
    const flipped = Buffer.from(image);
    flipped[100]! ^= 1;
    writeFileSync(file('tables.sqlite'), flipped);
    assert.equal(read().image, undefined);

    writeImage(folder, image, { lastSequence: 7, schemaHash: 'present' });
    writeFileSync(file('tables.sqlite'), 'Something else');
    assert.equal(read().image, undefined);
  });

  it('of another schema, as an older version wrote it, is no damage: the tables are made anew from the ledger', () => {
    assert.deepEqual(read('another'), { image: undefined, lastSequence: 0, setAside: [] });
    assert.ok(existsSync(file('tables.sqlite')));
  });
});
