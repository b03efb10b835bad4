import assert from 'node:assert/strict';
import type { AgentTrouble } from '../../../src/domain/agent.ts';
import { describeHealth, type HealthStatus } from '../../../src/domain/health.ts';
import { repeatsOf, whyStuck } from '../../../src/domain/progress.ts';
import { remedyFor, WINDOW_MS, type Remedy } from '../../../src/domain/supervision.ts';
import { logWithWorkingTask } from '../../support/builders.ts';

const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1 };
const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();

describe('what is done about an agent in trouble', () => {
  function remedy(kind: AgentTrouble, chance: number, restartedAt: string[], restartedFor?: string): Remedy {
    const { state } = logWithWorkingTask();
    const agent = state.standing.agents['agent-1']!;
    const task = state.runs['run-1']!.tasks[ids.taskId]!;
    Object.assign(agent, { trouble: { kind, reason: 'It fell.', chance }, restartedAt, lastActiveAt: ago(0) });
    return remedyFor(agent, { ...task, ...(restartedFor === undefined ? {} : { restartedFor }) });
  }

  it('is a restart after a random part of a delay that doubles each time', () => {
    const delays = [[], [ago(5)], [ago(9), ago(5)]].map((restarts) => remedy('crashed', 0.5, restarts));
    assert.deepEqual(delays, [
      { kind: 'restart', delayMs: 500, fresh: false },
      { kind: 'restart', delayMs: 1000, fresh: false },
      { kind: 'restart', delayMs: 2000, fresh: false },
    ]);
    assert.deepEqual(remedy('silent', 0, []), { kind: 'restart', delayMs: 0, fresh: false });
  });

  it('is to give up after three restarts within the window, and only then', () => {
    const thrice = remedy('crashed', 0.5, [ago(WINDOW_MS), ago(2), ago(1)]);
    assert.match(thrice.kind === 'give-up' ? thrice.reason : 'restart', /3 times within 30 minutes.*It fell\./);
    assert.equal(remedy('crashed', 0.5, [ago(WINDOW_MS + 1), ago(2), ago(1)]).kind, 'restart');
  });

  it('is one fresh start for one in circles, and no blame when that does not help', () => {
    assert.deepEqual(remedy('stuck', 0, []), { kind: 'restart', delayMs: 0, fresh: true });
    assert.deepEqual(remedy('stuck', 0, [], 'In circles.'), { kind: 'give-up', reason: 'It fell.', blames: false });
  });
});

describe('progress', () => {
  it('is missing when the same call comes again and again, or no call at all', () => {
    assert.equal(repeatsOf([]), 0);
    assert.equal(repeatsOf(['a', 'b', 'b']), 2);
    assert.equal(whyStuck(['a', 'b', 'b', 'b', 'b', 'b']), undefined);
    assert.match(whyStuck(['b', 'b', 'b', 'b', 'b', 'b']) ?? '', /same call 6 times/);
    assert.equal(whyStuck(['a', '', '']), undefined);
    assert.match(whyStuck(['a', '', '', '']) ?? '', /3 times without calling a tool/);
  });
});

describe('health in words', () => {
  const status = (of: Partial<HealthStatus>): HealthStatus => ({
    agentId: 'coding-1',
    word: 'idle',
    since: ago(90_000),
    restarts: 0,
    draining: false,
    spent: { tokens: 0, modelCalls: 0, messages: 0, workedMs: 0 },
    ...of,
  });

  it('says what a person wants to know, and how often it was started again', () => {
    const words = [
      status({}),
      status({ word: 'beating', currentCall: { kind: 'tool', name: 'run_tests', since: ago(0) } }),
      status({ word: 'silent', restarts: 1 }),
      status({ word: 'stuck', since: ago(300_000), restarts: 2 }),
      status({ word: 'error', reason: 'It crashed.' }),
    ].map((each) => describeHealth(each, NOW));
    assert.deepEqual(words, [
      'idle',
      'alive, run_tests',
      'silent for 90 s, restarted once',
      'in circles for 5 min, restarted 2 times',
      'in trouble: It crashed.',
    ]);
  });
});
