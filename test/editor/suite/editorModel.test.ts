/** The third model door, over the models of the extension test/support/scriptedModels. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { ModelError, StoppedError, type ModelFailureKind } from '../../../src/domain/errors.ts';
import type { CallLimits } from '../../../src/llm/callWatch.ts';
import { EditorModel } from '../../../src/vscode/editorModel.ts';
import { ask, describeModelDoor, requestFor } from '../../unit/llm/modelContract.ts';
import { openScripted, scriptedModels } from './scriptedDoor.ts';

describeModelDoor(
  'VS Code',
  async (turns, isSlow) => {
    const { model, addition } = await openScripted(({ conversation }) => {
      if (isSlow) {
        return { fault: 'slow-drip', everyMs: 10 };
      }
      const turn = turns[conversation.filter((entry) => entry.role === 'assistant').length];
      return turn ?? { fault: 'error', error: () => new Error('It has said all') };
    });
    return {
      model,
      dispose: () => {
        addition.dispose();
        return Promise.resolve();
      },
    };
  },
  // vscode.lm says nothing of usage, and of its failures names only three: all others are plain errors of some extension,
  // which may well be gone at the next try.
  { tellsUsage: false, refusalKind: 'server' },
);

/** For what only a limit ends: the one that is meant, so that a loaded machine looks like no other. */
const LIMITS: Partial<Record<ModelFailureKind, Partial<CallLimits>>> = {
  stalled: { firstChunkMs: 1000, idleMs: 1000 },
  timeout: { deadlineMs: 3000 },
};

describe('a model of VS Code that fails', () => {
  const cases: readonly (readonly [id: string, kind: ModelFailureKind, message: RegExp])[] = [
    ['empty', 'malformed', /empty/],
    ['cut', 'unreachable', /Scripted cut \(scripted\) cannot be reached.*socket hang up/],
    ['failing', 'server', /Something odd/],
    ['notFound', 'not-found', /Select Model.*retired/],
    ['noPermissions', 'authentication', /does not let DevSquad use.*Nobody agreed/],
    ['blocked', 'quota', /Too much of it/],
    ['quotaUsedUp', 'quota', /out of premium requests/],
    ['rateLimited', 'rate-limit', /Slow down/],
    ['tooLong', 'context-overflow', /longer than/],
    ['noTools', 'no-tools', /choose a model that can/],
    ['cancelling', 'unreachable', /cannot be reached/],
    ['invalidJson', 'malformed', /Invalid JSON/],
    ['brokenArguments', 'malformed', /no object/],
    ['noText', 'malformed', /no text/],
    ['onlyResults', 'malformed', /empty/],
    ['namelessCall', 'malformed', /without a name/],
    ['silent', 'stalled', /silent/],
    ['stalling', 'stalled', /silent/],
    ['vanishing', 'stalled', /silent/],
    ['slow', 'timeout', /did not finish/],
  ];
  for (const [id, kind, message] of cases) {
    it(`ends in a ModelError: ${id} is ${kind}`, async () => {
      const model = await builtIn(id, LIMITS[kind]);
      await assert.rejects(ask(model, []), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.kind, kind, error.message);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('does not make others fail that are asked at the same time', async () => {
    const models = await Promise.all(
      ['cut', 'manyCalls', 'brokenArguments', 'manyCalls', 'empty'].map((id) => builtIn(id)),
    );
    const outcomes = await Promise.allSettled(models.map((model) => ask(model, [])));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
  });

  it('is told that the call is over, however it ended', async () => {
    const cancelled = Promise.withResolvers<undefined>();
    const { model, addition } = await openScripted(
      () => ({
        fault: 'silence',
        onCancelled: () => {
          cancelled.resolve(undefined);
        },
      }),
      { limits: { firstChunkMs: 50, idleMs: 50 } },
    );
    await assert.rejects(ask(model, []), ModelError);
    await cancelled.promise;
    addition.dispose();
  });
});

describe('a model of VS Code', () => {
  it('hands on what a provider could not parse, for the tool to refuse', async () => {
    const { reply } = await ask(await builtIn('textArguments'), []);
    assert.equal(reply.answer.toolCalls[0]!.argumentsText, '{"path": "README.md",}');
  });

  it('is cut at our count where it says more than it was asked for, and told so', async () => {
    const { reply } = await ask(await builtIn('endless'), []);
    const { maxOutputTokens } = requestFor([]);
    const said = reply.answer.text.length;
    assert.equal(reply.answer.finishReason, 'length');
    assert.ok(said > 0 && said / 4 <= maxOutputTokens + 1, `${said} characters for ${maxOutputTokens} tokens`);
  });

  it('may call two hundred tools at once', async () => {
    const { reply } = await ask(await builtIn('manyCalls'), []);
    assert.equal(new Set(reply.answer.toolCalls.map((call) => call.id)).size, 200);
  });

  it('is not there any more for a next call when its provider took it away', async () => {
    const { model, id, addition } = await openScripted(() => ({ text: 'Here I am.' }));
    await ask(model, []);
    addition.dispose();
    await until(async () => (await vscode.lm.selectChatModels({ vendor: 'scripted', id })).length === 0);
    await assert.rejects(ask(model, []), (error) => error instanceof ModelError && error.kind === 'not-found');
    assert.equal(await model.countTokens('12345678'), 2, 'an estimate');
  });

  it('serves calls again, to whoever knew it before, when its provider brings it back', async () => {
    const { model, id, addition } = await openScripted(() => ({ text: 'Here I am.' }));
    addition.dispose();
    await until(async () => (await vscode.lm.selectChatModels({ vendor: 'scripted', id })).length === 0);
    const again = await openScripted(() => ({ text: 'Back again.' }), { id });
    assert.equal((await ask(model, [])).reply.answer.text, 'Back again.');
    again.addition.dispose();
  });

  it('hears nothing of the question whether it may be used', async () => {
    const { model, id, addition } = await openScripted(() => ({ text: 'Here I am.' }));
    await model.askConsent();
    await ask(model, []);
    const { requests } = await scriptedModels();
    assert.equal(requests.filter(({ modelId }) => modelId === id).length, 1);
    addition.dispose();
  });

  it('has a window of common size where its provider claims none', async () => {
    for (const maxInputTokens of [0, -1, NaN]) {
      const { model, addition } = await openScripted(() => ({ text: '' }), { traits: { maxInputTokens } });
      assert.equal(model.maxInputTokens, 128_000);
      addition.dispose();
    }
  });

  const lies: readonly (readonly [what: string, countTokens: () => number | Promise<number>])[] = [
    ['none', () => 0],
    ['fewer than none', () => -5],
    ['no number', () => NaN],
    ['a million for a word', () => 1_000_000],
    ['an error', () => Promise.reject(new Error('no tokenizer'))],
  ];
  for (const [what, countTokens] of lies) {
    it(`is not believed when it counts ${what}`, async () => {
      const { model, addition } = await openScripted(() => ({ text: '' }), { traits: { countTokens } });
      assert.equal(await model.countTokens('12345678'), 2);
      addition.dispose();
    });
  }

  it('counts by its own tokenizer and has its own window', async () => {
    const traits = { countTokens: (text: string) => text.length, maxInputTokens: 4321 };
    const { model, addition } = await openScripted(() => ({ text: '' }), { traits });
    assert.equal(await model.countTokens('12345678'), 8);
    assert.equal(model.maxInputTokens, 4321);
    addition.dispose();
  });
});

describe('a call of a model of VS Code that is aborted', () => {
  it('ends while nothing has come yet', async () => {
    const { controller, reason } = abortable();
    const asking = ask(await builtIn('silent'), [], controller.signal);
    setTimeout(() => {
      controller.abort(reason);
    }, 50);
    await assert.rejects(asking, (error) => error === reason);
  });

  it('ends at once where it had no time to begin', async () => {
    const { controller, reason } = abortable();
    const asking = ask(await builtIn('manyCalls'), [], controller.signal);
    controller.abort(reason);
    await assert.rejects(asking, (error) => error === reason);
  });

  it('says nothing more after the word that made somebody abort it, however long the model goes on', async () => {
    const { controller, reason } = abortable();
    const words: string[] = [];
    const onText = (word: string): void => {
      words.push(word);
      controller.abort(reason);
    };
    const model = await builtIn('deaf');
    await assert.rejects(model.ask(requestFor([]), onText, controller.signal), (error) => error === reason);
    await new Promise((resolve) => setTimeout(resolve, 800));
    assert.deepEqual(words, ['drip ']);
  });
});

function abortable(): { controller: AbortController; reason: StoppedError } {
  return { controller: new AbortController(), reason: new StoppedError('enough') };
}

async function builtIn(id: string, limits?: Partial<CallLimits>): Promise<EditorModel> {
  await scriptedModels();
  const [chat] = await vscode.lm.selectChatModels({ vendor: 'scripted', id });
  assert.ok(chat, `There is no scripted model ${id}`);
  return new EditorModel(chat, limits);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
