import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../../scripts/project.ts';
import { DDL } from '../../../src/store/schema.ts';

const GOLDEN = 'test/unit/store/schema.sql';

describe('the tables', () => {
  it('are what stands in the golden file, so that whoever changes them sees all of it', () => {
    const file = path.join(projectFolder, GOLDEN);
    const now = `${DDL.join(';\n\n')};\n`;
    if (process.env['DEVSQUAD_WRITE_GOLDEN']) {
      writeFileSync(file, now);
    }
    assert.equal(
      now,
      readFileSync(file, 'utf8'),
      `DEVSQUAD_WRITE_GOLDEN=1 npm run test:unit -- --grep "golden file" writes ${GOLDEN} anew`,
    );
  });
});
