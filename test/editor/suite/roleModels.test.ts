/** The setting `devsquad.roleModels`, as VS Code keeps it and as a run takes it. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { SettingError } from '../../../src/domain/errors.ts';
import { readSettings } from '../../../src/vscode/configuration.ts';
import { openScripted, scriptedModels } from './scriptedDoor.ts';

describe('models of roles', () => {
  const write = (value: unknown, target: vscode.ConfigurationTarget = vscode.ConfigurationTarget.Global) =>
    vscode.workspace.getConfiguration('devsquad').update('roleModels', value, target);
  const start = () =>
    vscode.commands.executeCommand('devsquad.startRun', { objective: 'Anything', model: 'editor:scripted/good' });

  before(() => scriptedModels());

  afterEach(async () => {
    await write(undefined);
  });

  it('are what the setting says, by role', async () => {
    assert.equal(readSettings().roleModels, undefined);
    await write({ planning: 'editor:scripted/good', testing: 'openai:small' });
    assert.deepEqual(readSettings().roleModels, {
      planning: { door: 'editor', name: 'scripted/good' },
      testing: { door: 'openai', name: 'small', baseUrl: 'https://api.openai.com/v1' },
    });
  });

  for (const [value, told] of [
    [{ cooking: 'editor:scripted/good' }, /by role.*the roles are planning, coding, testing, research, deployment/],
    [{ coding: 'scripted/good' }, /“scripted\/good” names no model\. Write rehearsal, editor:VENDOR\/ID/],
  ] as const) {
    it(`keep a run from beginning where they are ${JSON.stringify(value)}`, async () => {
      await write(value);
      assert.throws(readSettings, (error) => error instanceof SettingError && told.test(error.message));
      await assert.rejects(async () => start(), { message: told });
    });
  }

  it('keep a run from beginning where one cannot call tools, and say which', async () => {
    const { addition, id } = await openScripted(() => ({ text: 'Hello' }), { traits: { toolCalling: false } });
    await write({ testing: `editor:scripted/${id}` });
    await assert.rejects(async () => start(), { message: new RegExp(`The model scripted/${id} .*cannot call tools`) });
    addition.dispose();
  });

  it('cannot be chosen by a workspace', async () => {
    await assert.rejects(async () => write({ coding: 'editor:scripted/good' }, vscode.ConfigurationTarget.Workspace));
    assert.equal(readSettings().roleModels, undefined);
  });
});
