import assert from 'node:assert/strict';
import { readTestReport, withoutEmptyFiles } from '../../../../src/workspace/verification/testReports.ts';

const counts = (output: string) => {
  const report = readTestReport(output);
  return report && [report.runner, report.passed, report.failed, report.skipped];
};

describe('test reports', () => {
  const nodeLines = (mark: string, [tests, pass, fail, cancelled, skipped]: number[]): string =>
    `${mark} tests ${tests}\n${mark} suites 0\n${mark} pass ${pass}\n${mark} fail ${fail}\n${mark} cancelled ${cancelled}\n${mark} skipped ${skipped}\n${mark} todo 0\n`;

  it('of node:test, in both of its forms', () => {
    assert.deepEqual(counts(`ok 1 - a\n1..6\n${nodeLines('#', [6, 2, 1, 1, 2])}# duration_ms 1\n`), [
      'node:test',
      2,
      2,
      2,
    ]);
    assert.deepEqual(counts(nodeLines('ℹ', [3, 3, 0, 0, 0])), ['node:test', 3, 0, 0]);
    assert.deepEqual(counts(nodeLines('ℹ', [0, 0, 0, 0, 0])), ['node:test', 0, 0, 0]);
  });

  it('of mocha', () => {
    assert.deepEqual(counts('\n\n  12 passing (34ms)\n  2 pending\n  1 failing\n\n  1) x\n'), ['mocha', 12, 1, 2]);
    assert.deepEqual(counts('  0 passing (1ms)\n'), ['mocha', 0, 0, 0]);
    assert.deepEqual(counts('  3 passing (2s)\n  1 failing\n'), ['mocha', 3, 1, 0]);
  });

  it('of jest', () => {
    const output = 'Test Suites: 1 failed, 1 total\nTests:       1 failed, 2 skipped, 4 passed, 7 total\nTime: 1 s\n';
    assert.deepEqual(counts(output), ['jest', 4, 1, 2]);
    assert.deepEqual(counts('Tests:       0 total\n'), ['jest', 0, 0, 0]);
  });

  it('of vitest', () => {
    assert.deepEqual(counts(' Test Files  1 failed (1)\n      Tests  1 failed | 4 passed | 2 skipped (7)\n'), [
      'vitest',
      4,
      1,
      2,
    ]);
  });

  it('of what ends with a line of counts', () => {
    assert.deepEqual(counts('12 passed, 0 failed\n'), ['summary line', 12, 0, 0]);
    assert.deepEqual(counts('12 passed, 1 failed, 3 skipped'), ['summary line', 12, 1, 3]);
    assert.deepEqual(counts('===== 1 failed, 3 passed, 1 warning in 0.12s =====\n'), ['summary line', 3, 1, 0]);
  });

  it('of the last runner, where several ran', () => {
    assert.deepEqual(counts('  5 passing (1ms)\n\n7 passed, 0 failed\n'), ['summary line', 7, 0, 0]);
  });

  it('are not seen where there are none', () => {
    for (const output of [
      '',
      'all good\n',
      'I think 3 passed and 1 failed\n',
      'x'.repeat(100_000),
      '='.repeat(100_000),
    ]) {
      assert.equal(counts(output), undefined);
    }
  });

  it('of a filter that matched nothing do not count the files', () => {
    const output = `✔ a.test.js (40.1ms)\n✔ src/b c.test.ts (4ms)\n✔ real test (1ms)\n${nodeLines('ℹ', [3, 3, 0, 0, 0])}`;
    assert.equal(withoutEmptyFiles(readTestReport(output)!, output).passed, 1);
  });
});
