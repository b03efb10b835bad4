import assert from 'node:assert/strict';
import { HumanError, StoppedError } from '../../../src/domain/errors.ts';
import { listEditorModels, selectEditorModel } from '../../../src/vscode/editorModels.ts';
import { openScripted, scriptedModels } from './scriptedDoor.ts';

const signal = new AbortController().signal;

describe('the choice of a model of VS Code', () => {
  it('lists what there is under the names that runs use', async () => {
    await scriptedModels();
    const choices = await listEditorModels();
    const good = choices.find(({ name }) => name === 'scripted/good');
    assert.deepEqual(good, {
      name: 'scripted/good',
      label: 'Scripted good',
      family: 'scripted',
      maxInputTokens: 100_000,
      callsTools: 'yes',
    });
  });

  it('finds a model by its name', async () => {
    await scriptedModels();
    const model = await selectEditorModel('scripted/sloppy', signal);
    assert.equal(model.id, 'editor/scripted/sloppy');
    assert.equal(model.label, 'Scripted sloppy (scripted)');
  });

  it('finds a model whose id has slashes in it', async () => {
    const { addition } = await openScripted(() => ({ text: 'Hello' }), { id: 'maker/model/large' });
    assert.equal(
      (await selectEditorModel('scripted/maker/model/large', signal)).id,
      'editor/scripted/maker/model/large',
    );
    addition.dispose();
  });

  it('takes the first that can call tools where none is named', async () => {
    const traits = { isFirst: true, toolCalling: false };
    const { addition, id } = await openScripted(() => ({ text: 'Hello' }), { traits });
    const [first, second] = await listEditorModels();
    assert.deepEqual([first?.name, first?.callsTools], [`scripted/${id}`, 'no']);
    assert.equal((await selectEditorModel(undefined, signal)).id, `editor/${second?.name ?? ''}`);
    addition.dispose();
  });

  it('says what to do when the named one cannot call tools', async () => {
    const { addition, id } = await openScripted(() => ({ text: 'Hello' }), { traits: { toolCalling: false } });
    await assert.rejects(selectEditorModel(`scripted/${id}`, signal), saying(/cannot call tools.*Select Model/));
    addition.dispose();
  });

  it('says what there is when the named one is not', async () => {
    await scriptedModels();
    const wanted = saying(/no language model nobody\/nothing, only scripted\/good, .* and others\..*Select Model/);
    await assert.rejects(selectEditorModel('nobody/nothing', signal), wanted);
  });

  it('says what to do when there are no models at all', async () => {
    const change = (await scriptedModels()).changeList('empty');
    try {
      while ((await listEditorModels()).length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await assert.rejects(selectEditorModel(undefined, signal), saying(/sign in to Copilot or install an extension/));
      await assert.rejects(
        selectEditorModel('copilot/gpt', signal),
        saying(/sign in to Copilot or install an extension/),
      );
    } finally {
      change.dispose();
    }
    await waitForGood();
  });

  it('ends its wait for a list that never comes when it is told to', async () => {
    const change = (await scriptedModels()).changeList('silent');
    const reason = new StoppedError('enough');
    const controller = new AbortController();
    const selecting = selectEditorModel('scripted/good', controller.signal);
    setTimeout(() => {
      controller.abort(reason);
    }, 100);
    const outcome = await selecting.then(
      () => 'found',
      (error: unknown) => error,
    );
    change.dispose();
    assert.equal(outcome, reason);
    await waitForGood();
  });

  it('asks nothing when the signal is aborted before', async () => {
    const reason = new StoppedError('never');
    await assert.rejects(selectEditorModel(undefined, AbortSignal.abort(reason)), (error) => error === reason);
  });
});

function saying(text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HumanError, String(error));
    assert.match(error.message, text);
    return true;
  };
}

/** VS Code learns of the full list a moment later. */
async function waitForGood(): Promise<void> {
  while (!(await listEditorModels()).some(({ name }) => name === 'scripted/good')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
