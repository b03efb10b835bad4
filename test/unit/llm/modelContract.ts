/** What every model door promises, as one suite that each of them runs. */
import assert from 'node:assert/strict';
import type { ConversationEntry } from '../../../src/domain/conversation.ts';
import { ModelError, StoppedError, type ModelFailureKind } from '../../../src/domain/errors.ts';
import type { LanguageModel, ModelReply, ModelRequest } from '../../../src/ports.ts';
import { declareTools } from '../../support/tinyTools.ts';

export interface Turn {
  readonly text: string;
  readonly toolCalls: { name: string; arguments: Record<string, unknown> }[];
}

export interface Door {
  readonly model: LanguageModel;
  dispose(): Promise<void>;
}

/** Makes a door whose model says `turns`, one per answer, and fails beyond them; slowly where `isSlow`. */
export type MakeDoor = (turns: readonly Turn[], isSlow: boolean) => Promise<Door>;

/** Where a door cannot keep the contract to the letter: what it does instead. */
export interface DoorLimits {
  /** Whether the provider tells what a call used; where it does not, the reply says nothing and the caller counts. */
  readonly tellsUsage: boolean;
  /** The kind of failure when a model will not answer and no more is known about why. */
  readonly refusalKind: ModelFailureKind;
}

const WHOLE_CONTRACT: DoorLimits = { tellsUsage: true, refusalKind: 'refused' };

const LONG_TEXT = 'The quick brown fox jumps over the lazy dog — “twice”, 日本語 and 🦊 included.\n'.repeat(8);

const TURNS: Turn[] = [
  { text: LONG_TEXT, toolCalls: [{ name: 'read_file', arguments: { path: 'src/ö "quoted".js' } }] },
  {
    text: '',
    toolCalls: [
      { name: 'list_files', arguments: {} },
      { name: 'write_file', arguments: { path: 'a.txt', content: `${LONG_TEXT}\\"{[` } },
      { name: 'list_files', arguments: {} },
    ],
  },
  { text: 'That is all.', toolCalls: [] },
];

export function describeModelDoor(name: string, makeDoor: MakeDoor, limits: DoorLimits = WHOLE_CONTRACT): void {
  describe(`the model door ${name}`, () => {
    const doors: Door[] = [];
    const open = async (turns = TURNS, isSlow = false): Promise<LanguageModel> => {
      const door = await makeDoor(turns, isSlow);
      doors.push(door);
      return door.model;
    };

    afterEach(async () => {
      await Promise.all(doors.splice(0).map((door) => door.dispose()));
    });

    it('streams a text in pieces and answers with the whole of it', async () => {
      const { reply, deltas } = await ask(await open([{ text: LONG_TEXT, toolCalls: [] }]), []);
      assert.equal(reply.answer.text, LONG_TEXT);
      assert.equal(deltas.join(''), LONG_TEXT);
      assert.ok(deltas.length > 1);
      assert.equal(reply.answer.finishReason, 'stop');
      assert.deepEqual(reply.answer.toolCalls, []);
    });

    it('goes through tool calls and their results to the end', async () => {
      const model = await open();
      const conversation: ConversationEntry[] = [];
      for (const turn of TURNS) {
        const { reply } = await ask(model, conversation);
        const { answer } = reply;
        assert.equal(answer.text, turn.text);
        assert.deepEqual(
          answer.toolCalls.map((call) => ({ name: call.name, arguments: JSON.parse(call.argumentsText) as unknown })),
          turn.toolCalls,
        );
        assert.equal(answer.finishReason, turn.toolCalls.length > 0 ? 'tool-calls' : 'stop');
        conversation.push({ role: 'assistant', text: answer.text, toolCalls: answer.toolCalls });
        conversation.push(
          ...answer.toolCalls.map((call) => ({ role: 'tool' as const, callId: call.id, text: 'Done' })),
        );
      }
      const ids = conversation.flatMap((entry) => (entry.role === 'tool' ? [entry.callId] : []));
      assert.equal(new Set(ids).size, 4, 'no two calls of a conversation share an id');
    });

    it('says the same when the same is asked again', async () => {
      const model = await open();
      const [first, second] = await Promise.all([ask(model, []), ask(model, [])]);
      assert.deepEqual(first.reply, second.reply);
      assert.deepEqual(first.deltas, second.deltas);
    });

    it('tells what a call used, more for a longer conversation, or says nothing of it', async () => {
      const model = await open([TURNS[2]!]);
      const short = (await ask(model, [{ role: 'user', text: 'Hello' }])).reply.usage;
      const long = (await ask(model, [{ role: 'user', text: LONG_TEXT }])).reply.usage;
      if (!limits.tellsUsage) {
        assert.deepEqual([short, long], [undefined, undefined]);
        return;
      }
      assert.ok(short && long);
      assert.ok(Number.isInteger(short.inputTokens) && short.outputTokens > 0);
      assert.ok(long.inputTokens > short.inputTokens);
    });

    it('counts tokens: none for nothing, more for more', async () => {
      const model = await open();
      assert.equal(await model.countTokens(''), 0);
      assert.ok((await model.countTokens(LONG_TEXT)) > (await model.countTokens('Hello')));
    });

    it('ends within 100 ms of an abort with its reason, and says nothing more', async () => {
      const model = await open([{ text: LONG_TEXT, toolCalls: [] }], true);
      const controller = new AbortController();
      const deltas: string[] = [];
      const begun = Promise.withResolvers<undefined>();
      const asking = model.ask(
        requestFor([]),
        (delta) => {
          deltas.push(delta);
          begun.resolve(undefined);
        },
        controller.signal,
      );
      await Promise.race([begun.promise, asking]);
      const reason = new StoppedError('enough');
      controller.abort(reason);
      const ended = assert.rejects(asking, (error) => error === reason).then(() => 'ended');
      assert.equal(await Promise.race([ended, late(100)]), 'ended');
      const heard = deltas.length;
      await new Promise((resolve) => setTimeout(resolve, 80));
      assert.equal(deltas.length, heard);
    });

    it('asks nothing when the signal is aborted before', async () => {
      const reason = new StoppedError('never');
      await assert.rejects(ask(await open(), [], AbortSignal.abort(reason)), (error) => error === reason);
    });

    it('fails with a ModelError', async () => {
      const beyond = TURNS.map(({ text }): ConversationEntry => ({ role: 'assistant', text, toolCalls: [] }));
      await assert.rejects(
        ask(await open(), beyond),
        (error) => error instanceof ModelError && error.kind === limits.refusalKind,
      );
    });
  });
}

export function requestFor(conversation: readonly ConversationEntry[]): ModelRequest {
  return {
    purpose: { role: 'coding', agentId: 'a1', taskId: 'r1.plan', taskKey: 'plan' },
    conversation,
    tools: declareTools('working'),
    maxOutputTokens: 1000,
  };
}

export async function ask(
  model: LanguageModel,
  conversation: readonly ConversationEntry[],
  signal: AbortSignal = new AbortController().signal,
): Promise<{ reply: ModelReply; deltas: string[] }> {
  const deltas: string[] = [];
  const reply = await model.ask(requestFor(conversation), (delta) => deltas.push(delta), signal);
  return { reply, deltas };
}

/** Answers `late` after `ms`, and not before whatever was ready by then has had its turn: the machine may be busy. */
async function late(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (let turns = 0; turns < 3; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return 'late';
}
