import assert from 'node:assert/strict';
import { describeOwner, describeTakeOver } from '../../../src/domain/owner.ts';

describe('what a person reads of an owner that does not answer', () => {
  it('names where it is and its process', () => {
    assert.equal(
      describeOwner({ host: 'terminal', pid: 12 }),
      'the terminal (process 12) that does the work of this workspace',
    );
    assert.match(describeOwner({ host: 'editor', pid: 12 }), /^the window \(process 12\)/);
  });

  it('promises to end its process only where that can be told from a later one', () => {
    assert.match(describeTakeOver({ startMark: 'boot/ns/1' }), /^Taking over ends that process\. The work goes on/);
    assert.match(describeTakeOver({}), /is not ended: .*\. The work goes on from everything it has acknowledged\.$/);
  });
});
