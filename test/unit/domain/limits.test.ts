import assert from 'node:assert/strict';
import { UsageError } from '../../../src/domain/errors.ts';
import {
  DEFAULT_LIMITS,
  limitsOf,
  nothingSpent,
  parseLimits,
  refuseDelegation,
  refuseMessages,
  refuseTurn,
} from '../../../src/domain/limits.ts';

describe('limits', () => {
  const limits = limitsOf({ limits: parseLimits(['agentTokens=100', 'delegationDepth=1', 'messages=9']) });

  it('are the defaults where nothing is said, and what a person writes otherwise', () => {
    assert.deepEqual(limitsOf({}), DEFAULT_LIMITS);
    assert.deepEqual(limits, { ...DEFAULT_LIMITS, agentTokens: 100, delegationDepth: 1, messages: 9 });
    for (const wrong of ['agentTokens', 'agentTokens=', 'agentTokens=x', 'agentTokens=-1', 'what=3', '=3']) {
      assert.throws(() => parseLimits([wrong]), UsageError, wrong);
    }
  });

  it('are each told in a sentence', () => {
    assert.equal(refuseTurn(limits, nothingSpent()), undefined);
    assert.match(refuseTurn(limits, { ...nothingSpent(), tokens: 100 }) ?? '', /spent 100 tokens on this try; 100 is/);
    assert.match(refuseTurn(limits, { ...nothingSpent(), modelCalls: 80 }) ?? '', /asked its model 80 times/);
    assert.match(refuseTurn(limits, { ...nothingSpent(), workedMs: 7_200_000 }) ?? '', /worked 120 minutes/);
    assert.equal(refuseMessages(limits, { byAgent: 0, inRun: 8 }, 1), undefined);
    assert.match(refuseMessages(limits, { byAgent: 0, inRun: 8 }, 2) ?? '', /sent 8 messages in this run, and 9 is/);
    assert.equal(refuseDelegation(limits, 0), undefined);
    assert.match(refuseDelegation(limits, 1) ?? '', /1 levels below the plan.*1 levels deep\. Do it yourself/);
  });
});
