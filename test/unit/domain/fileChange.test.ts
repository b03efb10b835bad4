import assert from 'node:assert/strict';
import { allowedTexts } from '../../../src/domain/fileChange.ts';
import { describeTexts } from '../../../src/domain/fileDiff.ts';

describe('a file that a person allowed to change', () => {
  const change = (before: string | undefined, after: string | undefined) => ({
    texts: { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) },
  });

  it('may have what follows from it, change by change', () => {
    assert.deepEqual(allowedTexts('a', [change('a', 'b'), change('b', 'c')]), ['a', 'b', 'c']);
    assert.deepEqual(allowedTexts(undefined, [change(undefined, 'new'), change('new', undefined)]), [
      undefined,
      'new',
      undefined,
    ]);
  });

  it('may not have what was allowed for something else that stood there', () => {
    assert.deepEqual(allowedTexts('of others', [change('a', 'b'), change('b', 'c')]), ['of others']);
  });

  it('is not any content where the change was never shown', () => {
    assert.deepEqual(allowedTexts('a', [{}, { sha256: '00' }]), ['a']);
  });
});

describe('the change of a file in words', () => {
  it('is the lines that go and come, with three around them', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${index + 1}`);
    const changed = lines.with(4, 'other');
    assert.equal(
      describeTexts({ before: `${lines.join('\n')}\n`, after: `${changed.join('\n')}\n` }),
      ['from line 2:', ' line 2', ' line 3', ' line 4', '-line 5', '+other', ' line 6', ' line 7', ' line 8'].join(
        '\n',
      ),
    );
  });

  it('is the whole of it where the file is new', () => {
    assert.equal(describeTexts({ after: 'one\ntwo' }), '+one\n+two\n\\ No newline at end of file');
  });
});
