import assert from 'node:assert/strict';
import {
  budgetResourceSchema,
  describeCost,
  describeRefusal,
  emptyAccount,
  limitOf,
  mayFitLater,
  raisedLimit,
  refuseCall,
} from '../../../src/domain/budget.ts';
import { parseBudgets } from '../../../src/domain/envelopes.ts';
import { UsageError } from '../../../src/domain/errors.ts';
import { costOf, formatUsd, parsePrices, priceFor, priceOf } from '../../../src/domain/prices.ts';
import { requirePrices } from '../../../src/domain/run.ts';
import { emptyState, type SquadState } from '../../../src/domain/squadState.ts';
import { STATE_UPCASTS } from '../../../src/domain/upcasts/upcast.ts';
import { anyOptions, anyTask, EventLog } from '../../support/builders.ts';

describe('prices', () => {
  const table = parsePrices({ 'openai/gpt-*-mini': { input: 0.15, output: 0.6 }, 'gpt-4*': { input: 2, output: 8 } });

  it('are found by id, by the name behind the door and by pattern; the first that fits counts', () => {
    assert.equal(priceOf(table, 'openai/gpt-4-mini')?.input, 0.15);
    assert.equal(priceOf(table, 'openai/gpt-4.1')?.input, 2);
    assert.equal(priceOf(table, 'openai/o9'), undefined);
    assert.equal(priceOf(table, 'openai/gpt-mini'), undefined, 'the two ends of a pattern do not overlap');
    assert.equal(priceOf(parsePrices({ '*': { input: 1, output: 1 } }), 'editor/any/one')?.input, 1);
  });

  it('cost whole micro-dollars, rounded up, without the errors of floats', () => {
    assert.equal(costOf({ input: 0.15, output: 0.6 }, { inputTokens: 20, outputTokens: 0 }), 3);
    assert.equal(costOf({ input: 0.1, output: 0.2 }, { inputTokens: 1, outputTokens: 1 }), 1);
    assert.equal(costOf({ input: 2, output: 8 }, { inputTokens: 1_000_000, outputTokens: 1_000_000 }), 10_000_000);
    assert.ok(Number.isSafeInteger(costOf({ input: 9e5, output: 9e5 }, { inputTokens: 9e15, outputTokens: 9e15 })));
  });

  it('of a rehearsal are nothing; of any other model nobody guesses', () => {
    assert.equal(priceFor({}, 'rehearsal', 'rehearsal/any')?.output, 0);
    assert.equal(priceFor({}, 'openai', 'openai/gpt-4.1'), undefined);
  });

  it('that make no sense are refused with what they must look like', () => {
    for (const wrong of [null, [], 7, { m: 2 }, { m: { input: -1, output: 1 } }, { m: { input: 1 } }, { '': {} }]) {
      assert.throws(() => parsePrices(wrong), /dollars for a million tokens by model/);
    }
  });

  it('are read as people write money', () => {
    assert.deepEqual([0, 7, 12_300, 50_000, 1_500_000].map(formatUsd), [
      '$0.00',
      '<$0.0001',
      '$0.0123',
      '$0.05',
      '$1.50',
    ]);
    const account = { ...emptyAccount(), usedTokens: 3000, unpricedTokens: 3000 };
    assert.equal(describeCost(account), 'price unknown');
    assert.equal(describeCost({ ...account, usedMicroUsd: 12_300 }), '$0.0123 and 3,000 tokens of unknown price');
    assert.equal(describeCost({ ...account, unpricedTokens: 0 }), '$0.00');
  });
});

describe('a budget', () => {
  const cost = { model: 'openai/m', inputTokens: 600, outputTokens: 400, microUsd: 9000 };

  it('refuses what does not fit, resource by resource, with a sentence', () => {
    const account = { ...emptyAccount(), usedTokens: 500, reservedTokens: 100, usedMicroUsd: 5000, requests: 2 };
    assert.equal(refuseCall({ tokens: 1600, usd: 0.014, requests: 3 }, account, cost), undefined);
    assert.equal(refuseCall({ tokens: 1599 }, account, cost)?.resource, 'tokens');
    assert.equal(refuseCall({ requests: 2 }, account, cost)?.resource, 'requests');
    assert.equal(refuseCall({ toolTimeMs: 1000 }, { ...account, toolTimeMs: 1000 }, cost)?.resource, 'toolTimeMs');
    const money = refuseCall({ usd: 0.0139 }, account, cost);
    assert.match(describeRefusal(money!), /\$0\.0050 of \$0\.0139 are spent or reserved, .* may cost \$0\.0090/);
    assert.match(describeRefusal(money!, 'the coding agents’'), /^The coding agents’ budget is reached/);
  });

  it('in dollars refuses a model of unknown price, and says what to do', () => {
    const refusal = refuseCall({ usd: 100 }, emptyAccount(), { model: 'openai/m', inputTokens: 1, outputTokens: 1 });
    assert.match(describeRefusal(refusal!), /nobody knows what openai\/m costs.*devsquad\.prices/);
    const unknown = anyOptions({ model: { door: 'openai', name: 'm' }, envelopes: { day: { usd: 1 } } });
    assert.throws(() => {
      requirePrices(unknown);
    }, UsageError);
    requirePrices({ ...unknown, prices: [{ model: 'openai/m', input: 1, output: 1 }] });
    requirePrices({ ...unknown, model: { door: 'rehearsal' } });
    assert.throws(() => {
      requirePrices({ ...unknown, model: { door: 'rehearsal' }, fallback: { door: 'openai', name: 'm' } });
    }, /openai\/m costs/);
    assert.throws(() => {
      requirePrices({
        ...unknown,
        model: { door: 'rehearsal' },
        roleModels: { testing: { door: 'openai', name: 'm' } },
      });
    }, /openai\/m costs/);
  });

  it('waits for what calls under way may give back, and for nothing else', () => {
    const account = { ...emptyAccount(), usedTokens: 500, reservedTokens: 900 };
    assert.ok(mayFitLater(refuseCall({ tokens: 2000 }, account, cost)!));
    assert.ok(!mayFitLater(refuseCall({ tokens: 1400 }, account, cost)!), 'too little is left whatever comes back');
    assert.ok(!mayFitLater(refuseCall({ tokens: 1400 }, { ...account, reservedTokens: 0 }, cost)!));
  });

  it('is raised by half, and so that the call that stands still fits', () => {
    for (const resource of budgetResourceSchema.options) {
      const refusal = refuseCall(
        { [resource]: resource === 'usd' ? 0.00001 : 1 },
        {
          ...emptyAccount(),
          usedTokens: 1,
          usedMicroUsd: 10,
          requests: 1,
          workedMs: 1,
          toolTimeMs: 1,
        },
        cost,
      )!;
      const to = raisedLimit(refusal, resource);
      assert.ok(to >= 1.5 * refusal.limit && to >= refusal.used + refusal.needed, `${resource}: ${to}`);
    }
    assert.equal(
      raisedLimit({ resource: 'tokens', limit: 100_000, used: 95_000, reserved: 0, needed: 9000 }, 'tokens'),
      150_000,
    );
  });

  it('is written by whose it is and of what; anything else is told by name', () => {
    assert.deepEqual(
      parseBudgets({ 'day.usd': 2.5, 'role.coding.tokens': 1000, 'role.coding.minutes': 0.5, 'run.toolMinutes': 1 }),
      {
        budget: { toolTimeMs: 60_000 },
        envelopes: { day: { usd: 2.5 }, 'role.coding': { tokens: 1000, wallTimeMs: 30_000 } },
      },
    );
    assert.equal(limitOf({ usd: 0.1 + 0.2 }, 'usd'), 300_000);
    for (const wrong of ['usd', 'day', 'day.', 'week.usd', 'role.nobody.usd', 'day.toString', '__proto__.usd', '']) {
      assert.throws(() => parseBudgets({ [wrong]: 1 }), /There is no budget “/, wrong);
    }
    for (const [name, value] of [
      ['day.usd', 0],
      ['day.usd', '5'],
      ['day.tokens', 1.5],
      ['day.usd', NaN],
    ] as const) {
      assert.throws(() => parseBudgets({ [name]: value }), /takes a/, name);
    }
  });
});

describe('accounts', () => {
  const [runId, taskId] = ['run-1', 'run-1.greet'];

  it('remember two weeks of days', () => {
    const log = new EventLog();
    log.add({ type: 'run-started', runId, objective: 'Greet', options: anyOptions() });
    for (let day = 1; day <= 28; day++) {
      const at = `2026-02-${String(day).padStart(2, '0')}T12:00:00.000Z`;
      log.add({ type: 'work-clocked', runId, workedMs: day, at } as Parameters<EventLog['add']>[0]);
    }
    const days = Object.keys(log.state.standing.days);
    assert.equal(days.length, 14);
    assert.equal(days[0], '2026-02-15');
  });

  it('count the time of tools without what a person thought meanwhile, and nothing of the team’s own', () => {
    const log = new EventLog();
    log.add(
      { type: 'run-started', runId, objective: 'Greet', options: anyOptions() },
      { type: 'task-created', runId, taskId, task: anyTask({ id: taskId, runId }) },
    );
    const tool = (effect: 'process' | 'team') =>
      log.add({ type: 'tool-call-started', runId, taskId, callId: 'c', step: 1, tool: 't', effect });
    const end = () =>
      log.add({ type: 'tool-call-ended', runId, taskId, callId: 'c', step: 1, tool: 't', outcome: 'ok', result: '' });
    const question = { kind: 'question' as const, question: 'Which?', options: [] };
    tool('process');
    log.add({ type: 'request-opened', runId, taskId, request: { id: 'r', runId, taskId, subject: question } });
    log.add({ type: 'run-paused', runId }, { type: 'run-resumed', runId });
    log.add({
      type: 'request-answered',
      runId,
      taskId,
      requestId: 'r',
      answer: { kind: 'text', text: 'b' },
      door: 'editor',
    });
    end();
    assert.equal(log.state.runs[runId]?.account.toolTimeMs, 2000, 'a second before and one after');
    tool('team');
    end();
    tool('process');
    log.add({ type: 'ledger-opened', fromEpoch: 0, lastSequence: 0, lastCrc: 0, host: 'terminal' });
    end();
    assert.equal(log.state.runs[runId].account.toolTimeMs, 2000, 'what a crash took with it is not known');
  });

  it('of an older image get what it did not know: what was used is of unknown price', () => {
    const old = {
      ...emptyState(),
      standing: { agents: {} },
      runs: {
        [runId]: {
          account: { usedTokens: 70, reservedTokens: 9, requests: 2, workedMs: 5 },
          reservations: { 'run-1/call-2': { taskId, tokens: 9 } },
          tasks: { [taskId]: { role: 'coding', agentId: 'coding-1' } },
          startedAt: '2026-01-01T00:00:00.000Z',
          phase: 'working',
        },
      },
    };
    const state = STATE_UPCASTS[1]!(old) as SquadState;
    const run = state.runs[runId]!;
    assert.deepEqual(run.account, {
      ...emptyAccount(),
      usedTokens: 70,
      reservedTokens: 9,
      unpricedTokens: 70,
      requests: 2,
      workedMs: 5,
    });
    assert.deepEqual(run.reservations['run-1/call-2'], {
      taskId,
      tokens: 9,
      role: 'coding',
      agentId: 'coding-1',
      day: '2026-01-01',
    });
    assert.deepEqual([run.accounts, run.raised, run.warned, run.rules], [{}, {}, [], []]);
    assert.deepEqual([state.standing.days, state.standing.rules], [{}, {}]);
  });
});
