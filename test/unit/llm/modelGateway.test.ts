import assert from 'node:assert/strict';
import { ModelError, StoppedError } from '../../../src/domain/errors.ts';
import { ModelGateway } from '../../../src/llm/modelGateway.ts';
import type { LanguageModel, ModelReply, ModelRequest } from '../../../src/ports.ts';
import { SeededRandom } from '../../support/seededRandom.ts';
import { silentLogger } from '../../support/viewedSquad.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

const REPLY: ModelReply = { answer: { text: 'ok', toolCalls: [], finishReason: 'stop' } };
const REQUEST = { conversation: [], tools: [], maxOutputTokens: 10 } as unknown as ModelRequest;
const MINUTE_MS = 60_000;

describe('the gateway to models', () => {
  let clock: VirtualClock;
  let gateway: ModelGateway;
  /** When the model was asked, in ms since the test began. */
  let asked: number[];
  let parked: { at: number; until: number; reason: string }[];

  beforeEach(() => {
    clock = new VirtualClock('1970-01-01T00:00:00.000Z');
    gateway = new ModelGateway({ concurrency: 8, clock, logger: silentLogger });
    asked = [];
    parked = [];
  });

  const model = (ask: () => Promise<ModelReply> | ModelReply): LanguageModel => ({
    id: 'test/model',
    label: 'Test',
    maxInputTokens: 1,
    maxOutputTokens: 1,
    countTokens: () => Promise.resolve(1),
    ask: async () => {
      asked.push(clock.now());
      return ask();
    },
  });
  const failing = (kind: ModelError['kind'], retryAfterMs?: number): ModelError =>
    new ModelError(kind, `It says ${kind}.`, retryAfterMs === undefined ? {} : { retryAfterMs });

  function call(of: LanguageModel, signal = new AbortController().signal): Promise<ModelReply> {
    const listener = {
      onText: () => undefined,
      onParked: (until: number, reason: string) => {
        parked.push({ at: clock.now(), until, reason });
      },
    };
    const answer = gateway.ask(of, REQUEST, listener, signal);
    answer.catch(() => undefined);
    return answer;
  }

  /** Time passes in steps of a second, and everybody goes on as far as they can in each. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 1000) {
      for (let turns = 0; turns < 20; turns++) {
        await Promise.resolve();
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (passed < ms) {
        clock.advance(1000);
      }
    }
  }

  it('leaves a provider alone for as long as it wants, for all agents, and says until when', async () => {
    let failures = 1;
    const slow = model(() => {
      if (failures-- > 0) {
        throw failing('rate-limit', 10 * MINUTE_MS);
      }
      return REPLY;
    });
    const first = call(slow);
    await pass(1000);
    const second = call(slow);
    await pass(9 * MINUTE_MS);
    assert.deepEqual(asked, [0]);
    assert.deepEqual(
      parked.map(({ until, reason }) => ({ until, reason })),
      [
        { until: 10 * MINUTE_MS, reason: 'It says rate-limit.' },
        { until: 10 * MINUTE_MS, reason: 'Other calls of this model failed.' },
      ],
    );
    await pass(5 * MINUTE_MS);
    await Promise.all([first, second]);
  });

  it('asks half as often when it is told to slow down, and faster again as it is answered', async () => {
    let refuse = false;
    const limited = model(() => {
      if (refuse) {
        refuse = false;
        throw failing('rate-limit', 0);
      }
      return REPLY;
    });
    for (let calls = 0; calls < 20; calls++) {
      void call(limited);
      await pass(1000);
    }
    refuse = true;
    const before = asked.length;
    const calls = Array.from({ length: 40 }, () => call(limited));
    await pass(MINUTE_MS);
    const inFirstMinute = asked.length - before;
    // Eight were under way at once; then half of the 28 that had begun in a minute.
    assert.ok(inFirstMinute >= 20 && inFirstMinute <= 28, `asked ${inFirstMinute} times`);
    await pass(2 * MINUTE_MS);
    await Promise.all(calls);
  });

  it('tries a model that was down one call at a time, and loses none of those that wait', async () => {
    let isDown = false;
    const fragile = model(() => {
      if (isDown) {
        throw failing('server');
      }
      return REPLY;
    });
    await call(fragile);
    isDown = true;
    const calls = Array.from({ length: 12 }, () => call(fragile));
    await pass(12 * MINUTE_MS);
    const tries = asked.length;
    assert.ok(tries < 30, `asked ${tries} times while it was down`);
    assert.ok(parked.length > 0);
    isDown = false;
    await pass(6 * MINUTE_MS);
    assert.deepEqual(
      await Promise.all(calls),
      calls.map(() => REPLY),
    );
    assert.ok(asked.length - tries <= 12, 'each is asked once when it is back');
  });

  it('gives a model up that has never answered after five tries, and one that has after half an hour', async () => {
    const never = call(
      model(() => {
        throw failing('unreachable');
      }),
    );
    await pass(5 * MINUTE_MS);
    await assert.rejects(never, /unreachable/);
    assert.equal(asked.length, 5);

    gateway = new ModelGateway({ concurrency: 8, clock, logger: silentLogger });
    let isGone = false;
    const gone = model(() => {
      if (isGone) {
        throw failing('unreachable');
      }
      return REPLY;
    });
    await call(gone);
    isGone = true;
    const late = call(gone);
    const state = { over: false };
    void late.catch(() => (state.over = true));
    await pass(25 * MINUTE_MS);
    assert.equal(state.over, false);
    await pass(15 * MINUTE_MS);
    assert.equal(state.over, true);
  });

  it('does not try again what cannot become right', async () => {
    for (const kind of ['authentication', 'quota', 'not-found', 'refused', 'context-overflow'] as const) {
      asked = [];
      await assert.rejects(
        call(
          model(() => {
            throw failing(kind);
          }),
        ),
        { kind },
      );
      assert.equal(asked.length, 1, kind);
    }
  });

  it('ends at once when it is told to, whatever it waits for, and lets the others go on', async () => {
    let failures = 5;
    const down = model(() => {
      if (failures-- > 0) {
        throw failing('server', 2 * MINUTE_MS);
      }
      return REPLY;
    });
    const stop = new AbortController();
    const stopped = call(down, stop.signal);
    const other = call(down);
    await pass(1000);
    stop.abort(new StoppedError('Enough.'));
    await assert.rejects(stopped, StoppedError);
    await pass(30 * MINUTE_MS);
    assert.equal(await other, REPLY);
  });

  const seed = Number(process.env['DEVSQUAD_SEED'] ?? Math.floor(Math.random() * 1e6));
  it(`ends 10,000 calls of which a fifth fail by chance, each right or in a typed error, from seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    const kinds = ['unreachable', 'rate-limit', 'server', 'stalled', 'malformed', 'refused', 'quota'] as const;
    const chancy = model(() => {
      if (random.chance(0.2)) {
        throw failing(random.pick(kinds) ?? 'server', random.chance(0.3) ? random.between(0, 3000) : undefined);
      }
      return REPLY;
    });
    const counts = { answered: 0, refused: 0, stopped: 0 };
    let begun = 0;
    let atWork = 0;
    const agent = async (): Promise<void> => {
      for (atWork++; begun < 10_000;) {
        begun++;
        const stop = new AbortController();
        const answer = call(chancy, stop.signal);
        if (random.chance(0.01)) {
          stop.abort(new StoppedError('Enough.'));
        }
        try {
          await answer;
          counts.answered++;
        } catch (error) {
          assert.ok(error instanceof ModelError || error instanceof StoppedError, String(error));
          counts[error instanceof ModelError ? 'refused' : 'stopped']++;
        }
      }
      atWork--;
    };
    const agents = Promise.all(Array.from({ length: 32 }, agent));
    while (atWork > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(2000);
    }
    await agents;
    const ended = counts.answered + counts.refused + counts.stopped;
    const again = `again with DEVSQUAD_SEED=${seed} npm run test:unit -- --grep "10,000 calls"`;
    assert.equal(ended, 10_000, again);
    assert.ok(counts.answered > 9000 && counts.refused > 0 && counts.stopped > 0, JSON.stringify(counts) + again);
  }).timeout(60_000);
});
