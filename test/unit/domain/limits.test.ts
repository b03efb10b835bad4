import assert from 'node:assert/strict';
import { UsageError } from '../../../src/domain/errors.ts';
import {
  checkLimits,
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
    assert.deepEqual(
      parseLimits(['agentMinutes=0.5', 'messages=5000']),
      { agentMinutes: 0.5 },
      'no default is repeated',
    );
  });

  it('that do not fit are told by name, with what they take and what was written', () => {
    const told = (check: () => unknown): string => {
      try {
        check();
      } catch (error) {
        assert.ok(error instanceof UsageError);
        return error.message;
      }
      return 'nothing was wrong';
    };
    const from1 = '--limit takes NAME=NUMBER. agentTokens takes a whole number from 1, not';
    for (const [written, shown] of [
      ['agentTokens', '“”'],
      ['agentTokens=', '“”'],
      ['agentTokens=x', '“x”'],
      ['agentTokens=-1', '-1'],
      ['agentTokens=1.5', '1.5'],
      ['agentTokens=Infinity', 'null'],
    ] as const) {
      assert.equal(
        told(() => parseLimits([written])),
        `${from1} ${shown}.`,
      );
    }
    for (const wrong of ['what=3', '=3', '__proto__=3', 'toString=3']) {
      assert.match(
        told(() => parseLimits([wrong])),
        /There is no limit “.*”; there are agentTokens, .*, agentsPerRole\./,
      );
    }
    assert.equal(
      told(() => checkLimits({ delegationDepth: 11, agentMinutes: 0, messages: null })),
      'agentMinutes takes a number above 0, not 0. messages takes a whole number from 0, not null. delegationDepth takes a whole number from 0 to 10, not 11.',
    );
    for (const wrong of [5, null, 'many', [1]]) {
      assert.match(
        told(() => checkLimits(wrong)),
        /^Limits are numbers by name, not /,
      );
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
