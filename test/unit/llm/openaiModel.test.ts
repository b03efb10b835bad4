import assert from 'node:assert/strict';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { ConversationEntry } from '../../../src/domain/conversation.ts';
import { ModelError, type ModelFailureKind } from '../../../src/domain/errors.ts';
import { OpenAiModel, type OpenAiModelOptions } from '../../../src/llm/openaiModel.ts';
import { realClock } from '../../support/realClock.ts';
import { ScriptedServer, type Script } from '../../support/scriptedServer.ts';
import type { Fault } from '../../support/serverFaults.ts';
import { ask, requestFor } from './modelContract.ts';

/** A loaded machine must not look like a silent server. */
const PATIENT = { firstChunkMs: 30_000, idleMs: 30_000, deadlineMs: 60_000 };
/** For faults that only a limit ends: the one limit that is meant, for the same reason. */
const TIGHT: Partial<Record<Fault['fault'], typeof PATIENT>> = {
  stall: { firstChunkMs: 200, idleMs: 100, deadlineMs: 60_000 },
  'slow-drip': { firstChunkMs: 30_000, idleMs: 30_000, deadlineMs: 500 },
};
const HELLO: ConversationEntry[] = [{ role: 'user', text: 'Hello' }];

describe('OpenAiModel', () => {
  let server: ScriptedServer;

  afterEach(() => server.close());

  const open = async (script: Script, options: Partial<OpenAiModelOptions> = {}): Promise<OpenAiModel> => {
    server = await ScriptedServer.start(script);
    const defaults = { baseUrl: server.baseUrl, model: 'scripted', apiKey: 'sk-secret', clock: realClock };
    return new OpenAiModel({ ...defaults, limits: PATIENT, ...options });
  };

  const failureOf = async (fault: Fault): Promise<ModelError> => {
    const model = await open(() => fault, { limits: TIGHT[fault.fault] ?? PATIENT });
    try {
      await ask(model, HELLO);
    } catch (error) {
      assert.ok(error instanceof ModelError, String(error));
      return error;
    }
    throw new Error('The call should have failed');
  };

  describe('that is cancelled closes its connection within 100 ms', () => {
    for (const [when, fault] of [
      ['before anything has come', { fault: 'stall', when: 'before-headers' }],
      ['while an answer stands still', { fault: 'stall', when: 'mid-stream' }],
      ['while an answer comes in', { fault: 'slow-drip', everyMs: 5 }],
    ] as const) {
      it(when, async () => {
        const model = await open(() => fault);
        const cancel = new AbortController();
        const asking = ask(model, HELLO, cancel.signal).catch((error: unknown) => error);
        while (server.requests.length === 0) {
          await wait(5);
        }
        await wait(50);
        assert.equal(server.hangUps, 0);
        const reason = new Error('enough');
        const over = wait(100);
        cancel.abort(reason);

        assert.equal(await asking, reason);
        await over;
        // Where this process itself stood still meanwhile, what has come by then is looked at first.
        for (let turn = 0; turn < 5; turn++) {
          await nextTurn();
        }
        assert.equal(server.hangUps, 1);
      });
    }
  });

  describe('says who asks', () => {
    it('with the task, `plan` while planning, and the key', async () => {
      const model = await open(() => ({ text: 'Hi' }));
      const { purpose, ...rest } = requestFor(HELLO);
      const signal = new AbortController().signal;
      await model.ask({ ...rest, purpose }, () => undefined, signal);
      await model.ask(
        { ...rest, purpose: { ...purpose, taskKey: 'search', taskId: 'r1.search' } },
        () => undefined,
        signal,
      );
      const [planning, working] = server.requests;
      assert.equal(planning?.headers['x-devsquad-agent'], 'coding/a1');
      assert.equal(planning.headers['x-devsquad-task'], 'plan');
      assert.equal(working?.headers['x-devsquad-task'], 'r1.search');
      assert.equal(working.headers.authorization, 'Bearer sk-secret');
    });

    it('and sends no authorization where there is no key', async () => {
      const model = await open(() => ({ text: 'Hi' }), { apiKey: undefined });
      await ask(model, HELLO);
      assert.equal(server.requests[0]?.headers.authorization, undefined);
    });

    it('and sends the conversation as it is, but no broken arguments of old calls', async () => {
      const model = await open(() => ({ text: 'Hi' }));
      const broken = { id: 'c1', name: 'read_file', argumentsText: '{"path":' };
      const conversation: ConversationEntry[] = [
        { role: 'system', text: 'Rules' },
        ...HELLO,
        { role: 'assistant', text: '', toolCalls: [broken] },
        { role: 'tool', callId: 'c1', text: 'The arguments are no JSON' },
      ];
      await ask(model, conversation);
      const sent = [...conversation];
      sent[2] = { role: 'assistant', text: '', toolCalls: [{ ...broken, argumentsText: '{}' }] };
      assert.deepEqual(server.requests[0]?.conversation, sent);
    });
  });

  describe('gets along with servers that', () => {
    it('answer as a whole although a stream was asked for', async () => {
      const model = await open(() => ({
        text: 'Whole',
        toolCalls: [{ name: 'list_files', arguments: {} }],
        whole: true,
      }));
      const { reply, deltas } = await ask(model, HELLO);
      assert.deepEqual(deltas, ['Whole']);
      assert.equal(reply.answer.finishReason, 'tool-calls');
      assert.equal(reply.answer.toolCalls[0]?.name, 'list_files');
      assert.ok(reply.usage);
    });

    it('say nothing about usage', async () => {
      const model = await open(() => ({ text: 'Hi', withoutUsage: true }));
      assert.equal((await ask(model, HELLO)).reply.usage, undefined);
    });

    it('refuse stream_options, which is asked for only once', async () => {
      const model = await open(({ body }) =>
        body.stream_options
          ? { fault: 'status', status: 400, message: "Unrecognized request argument supplied: 'stream_options'" }
          : { text: 'Hi' },
      );
      await ask(model, HELLO);
      await ask(model, HELLO);
      assert.deepEqual(
        server.requests.map(({ body }) => body.stream_options !== undefined),
        [true, false, false],
      );
    });

    it('know the output limit by its new name only', async () => {
      const model = await open(({ body }) =>
        body.max_tokens === undefined
          ? { text: 'Hi' }
          : {
              fault: 'status',
              status: 400,
              param: 'max_tokens',
              message: "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            },
      );
      await ask(model, HELLO);
      assert.equal(server.requests.at(-1)?.body.max_completion_tokens, 1000);
    });

    it('say “stop” although they want tools', async () => {
      const toolCalls = [{ name: 'list_files', arguments: {} }];
      const model = await open(() => ({ toolCalls, finishReason: 'stop' }));
      assert.equal((await ask(model, HELLO)).reply.answer.finishReason, 'tool-calls');
    });

    it('break off after the model has finished', async () => {
      const model = await open(() => ({ fault: 'reset', when: 'after-finish' }));
      const { reply } = await ask(model, HELLO);
      assert.equal(reply.answer.text, 'Hello');
      assert.equal(reply.usage, undefined);
    });

    it('send 200 calls at once', async () => {
      const toolCalls = Array.from({ length: 200 }, (_, index) => ({
        name: 'read_file',
        arguments: { path: `${index}` },
      }));
      const model = await open(() => ({ toolCalls }));
      const { answer } = (await ask(model, HELLO)).reply;
      assert.equal(new Set(answer.toolCalls.map((call) => call.id)).size, 200);
    });
  });

  describe('turns each failure into its kind:', () => {
    const EXPECTED: [string, Fault, ModelFailureKind, RegExp?][] = [
      ['no headers', { fault: 'stall', when: 'before-headers' }, 'stalled', /0\.2 s/],
      ['a stream that stalls', { fault: 'stall', when: 'mid-stream' }, 'stalled', /0\.1 s/],
      ['a drip without end', { fault: 'slow-drip', everyMs: 20 }, 'timeout'],
      ['a reset before the answer', { fault: 'reset', when: 'at-once' }, 'unreachable'],
      ['a reset in the answer', { fault: 'reset', when: 'mid-stream' }, 'unreachable'],
      ['a stream without an end', { fault: 'cut' }, 'malformed', /cut/],
      ['a web page', { fault: 'html' }, 'malformed', /\/v1/],
      ['an empty answer', { fault: 'empty' }, 'malformed', /empty/],
      ['half a chunk', { fault: 'malformed-sse' }, 'malformed'],
      ['chunks of another form', { fault: 'wrong-shape' }, 'malformed', /choices/],
      ['truncated arguments', { fault: 'truncated-arguments' }, 'malformed', /write_file/],
      ['20 MB', { fault: 'endless', bytes: 20_000_000 }, 'malformed', /longer/],
      ['an error in the stream', { fault: 'error-in-stream', message: 'overloaded' }, 'server', /overloaded/],
      ['a status in the stream', { fault: 'error-in-stream', message: 'slow down', code: 429 }, 'rate-limit'],
      ['400', { fault: 'status', status: 400 }, 'refused'],
      ['401', { fault: 'status', status: 401 }, 'authentication', /key/],
      ['402', { fault: 'status', status: 402 }, 'quota'],
      ['403', { fault: 'status', status: 403 }, 'authentication'],
      ['404', { fault: 'status', status: 404 }, 'not-found', /model name/],
      ['408', { fault: 'status', status: 408 }, 'timeout'],
      ['409', { fault: 'status', status: 409 }, 'server'],
      ['413', { fault: 'status', status: 413 }, 'context-overflow'],
      ['context overflow', { fault: 'status', status: 400, code: 'context_length_exceeded' }, 'context-overflow'],
      ['no tools', { fault: 'status', status: 400, message: 'gemma does not support tools' }, 'no-tools'],
      ['429', { fault: 'status', status: 429 }, 'rate-limit'],
      ['exhausted quota', { fault: 'status', status: 429, code: 'insufficient_quota' }, 'quota'],
      ['500', { fault: 'status', status: 500 }, 'server'],
      ['503', { fault: 'status', status: 503 }, 'server'],
    ];
    for (const [what, fault, kind, message] of EXPECTED) {
      it(`${what} is ${kind}`, async () => {
        const failure = await failureOf(fault);
        assert.equal(failure.kind, kind, failure.message);
        assert.match(failure.message, message ?? /./);
        assert.equal(server.requests.length, 1, 'nothing is asked twice');
      });
    }

    it('nobody listening is unreachable', async () => {
      const model = await open(() => ({ text: 'Hi' }));
      await server.close();
      await assert.rejects(ask(model, HELLO), (error) => {
        return error instanceof ModelError && error.kind === 'unreachable' && error.message.includes('ECONNREFUSED');
      });
    });

    it('TLS to a server without it is unreachable', async () => {
      server = await ScriptedServer.start(() => ({ text: 'Hi' }));
      const baseUrl = server.baseUrl.replace('http:', 'https:');
      const model = new OpenAiModel({ baseUrl, model: 'scripted', clock: realClock });
      await assert.rejects(ask(model, HELLO), (error) => error instanceof ModelError && error.kind === 'unreachable');
    });

    it('a key that the server echoes stays out of the error', async () => {
      const failure = await failureOf({
        fault: 'status',
        status: 401,
        message: 'Incorrect API key provided: sk-secret',
      });
      assert.ok(!JSON.stringify([failure.message, failure.stack, failure.cause]).includes('sk-secret'));
    });
  });

  it('leaves out a call for which the model had no room, and says so by the finish reason', async () => {
    const model = await open(() => ({ fault: 'truncated-arguments', finishReason: 'length' }));
    const { answer } = (await ask(model, HELLO)).reply;
    assert.deepEqual(answer, { text: '', toolCalls: [], finishReason: 'length' });
  });

  it('hands on arguments that are whole but wrong, for the tool to say so', async () => {
    const model = await open(() => ({ toolCalls: [{ name: 'read_file', arguments: '{"path": "a",}' }] }));
    const { answer } = (await ask(model, HELLO)).reply;
    assert.equal(answer.toolCalls[0]?.argumentsText, '{"path": "a",}');
  });

  describe('reads Retry-After', () => {
    const retryAfterMs = async (retryAfter: string, status = 429): Promise<number | undefined> =>
      (await failureOf({ fault: 'status', status, retryAfter })).retryAfterMs;

    it('in seconds', async () => {
      assert.equal(await retryAfterMs('2'), 2000);
    });

    it('in long, without a cap of its own', async () => {
      assert.equal(await retryAfterMs('86400', 503), 86_400_000);
    });

    it('as a date', async () => {
      const waitMs = await retryAfterMs(new Date(Date.now() + 60_000).toUTCString());
      assert.ok(waitMs !== undefined && waitMs > 55_000 && waitMs <= 60_000);
    });

    it('as a date in the past: at once', async () => {
      assert.equal(await retryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
    });

    for (const garbage of ['soon', '-5', '1e9999', '', 'NaN']) {
      it(`not from “${garbage}”`, async () => {
        assert.equal(await retryAfterMs(garbage), undefined);
      });
    }
  });
});
