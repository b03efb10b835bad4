/** The setting `devsquad.limits`, as VS Code keeps it and as a run takes it. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { SettingError } from '../../../src/domain/errors.ts';
import { parseLimits } from '../../../src/domain/limits.ts';
import { readSettings } from '../../../src/vscode/configuration.ts';

describe('limits of agents and runs', () => {
  const write = (value: unknown, target: vscode.ConfigurationTarget = vscode.ConfigurationTarget.Global) =>
    vscode.workspace.getConfiguration('devsquad').update('limits', value, target);
  const start = () =>
    vscode.commands.executeCommand('devsquad.startRun', { objective: 'Anything', model: 'rehearsal' });

  afterEach(async () => {
    await write(undefined);
  });

  it('are the defaults until somebody writes one, and each is shown with its default', () => {
    assert.deepEqual(readSettings().limits, {});
    assert.equal(vscode.workspace.getConfiguration('devsquad').get('limits.agentModelCalls'), 80);
  });

  it('are what --limit says at the terminal', async () => {
    await write({ agentMessages: 5, agentMinutes: 0.5, delegationDepth: 0 });
    assert.deepEqual(
      readSettings().limits,
      parseLimits(['agentMessages=5', 'agentMinutes=0.5', 'delegationDepth=0', 'agentTokens=2000000']),
    );
  });

  it('that cannot be are told by name, and no run begins', async () => {
    await write({ agentTokens: -5, everything: 1 });
    const told =
      /^No run begins with these limits\. agentTokens takes a whole number from 1, not -5\. There is no limit “everything”; there are .*\. Change the setting devsquad\.limits, and try again\.$/;
    assert.throws(readSettings, (error) => error instanceof SettingError && told.test(error.message));
    // Whoever calls with an argument hears what the person reads.
    await assert.rejects(async () => start(), { message: told });
  });

  it('cannot be weakened by a workspace', async () => {
    await assert.rejects(async () => write({ agentTokens: 9_000_000 }, vscode.ConfigurationTarget.Workspace));
    assert.deepEqual(readSettings().limits, {});
  });
});
