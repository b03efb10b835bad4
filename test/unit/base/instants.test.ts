import assert from 'node:assert/strict';
import { isoOf, msOf } from '../../../src/base/instants.ts';

describe('an instant', () => {
  it('is the same as number and as text, in whatever order they are asked for', () => {
    const [one, other] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1) + 1];
    assert.equal(isoOf(one), '2026-01-01T00:00:00.000Z');
    assert.equal(msOf('2026-01-01T00:00:00.001Z'), other);
    assert.equal(msOf('2026-01-01T00:00:00.000Z'), one);
    assert.equal(isoOf(other), '2026-01-01T00:00:00.001Z');
    assert.equal(isoOf(one), '2026-01-01T00:00:00.000Z');
    assert.equal(msOf('2026-01-01T01:00:00.000+01:00'), one);
  });

  it('is not what is none', () => {
    assert.throws(() => isoOf(NaN), RangeError);
    assert.equal(isoOf(0), '1970-01-01T00:00:00.000Z');
    assert.ok(Number.isNaN(msOf('tomorrow')));
  });
});
