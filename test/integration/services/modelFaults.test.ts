/** Every way in which a model server fails, for every role, through the real door: the run ends right or says why. */
import assert from 'node:assert/strict';
import type { RunOptions } from '../../../src/domain/run.ts';
import { OpenAiModel } from '../../../src/llm/openaiModel.ts';
import { LifeBench } from '../../support/lifeBench.ts';
import { call, finish, inOrder, planTask, scriptOf } from '../../support/scriptedRun.ts';
import { ScriptedServer } from '../../support/scriptedServer.ts';
import type { Fault } from '../../support/serverFaults.ts';

const ROLES = ['planning', 'coding', 'testing'] as const;

/** What passes when the server is well again. */
const PASSING: readonly [string, Fault][] = [
  ['no headers', { fault: 'stall', when: 'before-headers' }],
  ['a stream that stalls', { fault: 'stall', when: 'mid-stream' }],
  ['a drip without end', { fault: 'slow-drip', everyMs: 5 }],
  ['a reset before the answer', { fault: 'reset', when: 'at-once' }],
  ['a reset in the answer', { fault: 'reset', when: 'mid-stream' }],
  ['a stream without an end', { fault: 'cut' }],
  ['a web page', { fault: 'html' }],
  ['an empty answer', { fault: 'empty' }],
  ['half a chunk', { fault: 'malformed-sse' }],
  ['chunks of another form', { fault: 'wrong-shape' }],
  ['truncated arguments', { fault: 'truncated-arguments' }],
  ['20 MB', { fault: 'endless', bytes: 20_000_000 }],
  ['an error in the stream', { fault: 'error-in-stream', message: 'overloaded' }],
  ['408', { fault: 'status', status: 408 }],
  ['409', { fault: 'status', status: 409 }],
  ['429', { fault: 'status', status: 429 }],
  ['429 for two seconds', { fault: 'status', status: 429, retryAfter: '2' }],
  ['429 for twenty minutes', { fault: 'status', status: 429, retryAfter: '1200' }],
  ['429 for garbage', { fault: 'status', status: 429, retryAfter: 'soon' }],
  ['500', { fault: 'status', status: 500 }],
  ['503', { fault: 'status', status: 503 }],
];
/** What the person has to mend. */
const FINAL: readonly [string, Fault, RegExp][] = [
  ['401', { fault: 'status', status: 401 }, /refused the API key/],
  ['403', { fault: 'status', status: 403 }, /refused the API key/],
  ['404', { fault: 'status', status: 404 }, /no such model or address/],
  ['400', { fault: 'status', status: 400 }, /refused the request/],
  ['413', { fault: 'status', status: 413 }, /longer than the model can take/],
  ['exhausted quota', { fault: 'status', status: 429, code: 'insufficient_quota' }, /quota of this API key is used up/],
];

describe('a model server that fails', () => {
  let bench: LifeBench;
  let server: ScriptedServer;
  afterEach(async () => {
    await bench.dispose();
    await server.close();
  });

  /** Its first `times` answers to that role are the fault. */
  async function runWith(role: string, fault: Fault, times: number): Promise<void> {
    const test = planTask('test', { role: 'testing', type: 'generate-tests', reads: ['README.md'] });
    const script = scriptOf({
      tasks: [planTask('code'), test],
      lines: {
        code: inOrder(call('write_file', { path: 'code.md', content: 'code' }), finish()),
        test: inOrder(call('write_file', { path: 'test.md', content: 'test' }), finish()),
      },
    });
    let left = times;
    server = await ScriptedServer.start((request) => (request.role === role && left-- > 0 ? fault : script(request)));
    const models = {
      select: () => Promise.resolve(new OpenAiModel({ baseUrl: server.baseUrl, model: 'm', clock: bench.clock })),
    };
    bench = new LifeBench({ models });
    await bench.open();
    await bench.start();
    // A server that says nothing for a minute is one that has fallen silent: time must not run away from a real one.
    const isLong = fault.fault === 'slow-drip' || ('retryAfter' in fault && fault.retryAfter === '1200');
    await bench.ended(isLong ? 5000 : 1000);
  }

  for (const [index, [what, fault]] of PASSING.entries()) {
    for (const role of rolesFor(index)) {
      it(`with ${what} is asked again for the ${role} agent, and the run ends right`, async () => {
        await runWith(role, fault, 2);
        const { status, reason, diff, account } = bench.run();
        assert.equal(status, 'succeeded', reason);
        assert.deepEqual(
          diff?.files.map(({ path }) => path),
          ['code.md', 'test.md'],
        );
        assert.equal(account.reservedTokens, 0);
      });
    }
  }

  for (const [index, [what, fault, words]] of FINAL.entries()) {
    for (const role of rolesFor(index)) {
      it(`with ${what} is asked once for the ${role} agent, and the run says what to do`, async () => {
        await runWith(role, fault, Infinity);
        const { status, reason, diff, account } = bench.run();
        assert.equal(status, 'failed');
        assert.match(reason ?? '', words);
        const own = role === 'testing' ? 'test.md' : 'code.md';
        assert.ok(!diff?.files.some(({ path }) => path === own));
        assert.equal(server.requests.filter((request) => request.role === role).length, 1);
        assert.equal(account.reservedTokens, 0);
      });
    }
  }
});

describe('a second model that the person named', () => {
  let bench: LifeBench;
  let server: ScriptedServer;
  afterEach(async () => {
    await bench.dispose();
    await server.close();
  });

  async function runWith(fault: Fault, from: number, options: Partial<RunOptions> = {}): Promise<void> {
    const script = scriptOf({
      tasks: [planTask('code')],
      lines: { code: inOrder(call('write_file', { path: 'code.md', content: 'code' }), finish()) },
    });
    server = await ScriptedServer.start((request) =>
      request.body.model === 'first' && request.index >= from ? fault : script(request),
    );
    const { baseUrl } = server;
    bench = new LifeBench({
      models: {
        select: ({ name }) => Promise.resolve(new OpenAiModel({ baseUrl, model: name ?? '', clock: bench.clock })),
      },
    });
    await bench.open();
    await bench.start({ model: openai('first'), fallback: openai('second'), ...options });
    await bench.ended(1000);
  }

  const openai = (name: string): RunOptions['model'] => ({ door: 'openai', name });

  const used = (): string[] => [...new Set(bench.of('model-call-ended').map(({ model }) => model))];

  for (const [what, fault] of [
    ['is down', { fault: 'status', status: 503 }],
    ['wants to be left alone for a day', { fault: 'status', status: 429, retryAfter: '86400' }],
    ['does not take the key any more', { fault: 'status', status: 401 }],
  ] as const) {
    it(`answers when the first ${what}, and nobody waits`, async () => {
      await runWith(fault, 1);
      assert.equal(bench.run().status, 'succeeded', bench.run().reason);
      assert.deepEqual(used(), ['openai/first', 'openai/second']);
      assert.equal(bench.of('model-call-parked').length, 0);
      assert.equal(bench.run().account.reservedTokens, 0);
    });
  }

  it('is not asked when the first refuses what it was asked', async () => {
    await runWith({ fault: 'status', status: 400 }, 1);
    assert.equal(bench.run().status, 'failed');
    assert.deepEqual(used(), ['openai/first']);
  });

  it('is asked in place of a role’s own model as well, and the other roles keep theirs', async () => {
    await runWith({ fault: 'status', status: 503 }, 0, {
      model: openai('large'),
      roleModels: { coding: openai('first') },
    });
    assert.equal(bench.run().status, 'succeeded', bench.run().reason);
    assert.deepEqual(used(), ['openai/large', 'openai/second']);
    const asked = server.requests.map(({ role, body }) => `${role} ${body.model}`);
    assert.deepEqual([...new Set(asked)], ['planning large', 'coding first', 'coding second']);
  });

  it('is not asked while the first answers', async () => {
    await runWith({ fault: 'html' }, Infinity);
    assert.equal(bench.run().status, 'succeeded');
    assert.deepEqual(used(), ['openai/first']);
  });
});

/** Each fault for one role, by turns; for every one in the long tests. */
function rolesFor(index: number): readonly string[] {
  return ROLES.filter((_, place) => process.env['DEVSQUAD_EVERY_ROLE'] !== undefined || place === index % ROLES.length);
}
