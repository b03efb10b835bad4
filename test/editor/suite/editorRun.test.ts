/** A whole run in the extension host, over a model of VS Code. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunOptions } from '../../../src/domain/run.ts';
import { HostModels } from '../../../src/host/models.ts';
import { enterSquad } from '../../../src/host/enterSquad.ts';
import { chooseRehearsal } from '../../../src/llm/rehearsal.ts';
import { selectEditorModel } from '../../../src/vscode/editorModels.ts';
import { rehearsedTree } from '../../support/rehearsedTree.ts';
import { readRehearsals } from '../../support/rehearsals.ts';
import { scriptedModels } from './scriptedDoor.ts';

describe('a whole run over a model of VS Code', function () {
  const home = process.env['HOME'];
  let folder: string;
  let media: string;
  let expectedTree: string;

  before(async () => {
    await scriptedModels();
    media = path.join(vscode.extensions.getExtension('vibe-devsquad.devsquad')!.extensionPath, 'media');
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'run-')));
    // In a desktop VS Code it would be the developer's own.
    process.env['HOME'] = folder;
    expectedTree = await rehearsedTree(() => treeOfRun({ door: 'rehearsal' }));
  });

  after(async () => {
    process.env['HOME'] = home;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  /** The tree that a run of the first rehearsal's objective leads to. */
  const treeOfRun = async (model: RunOptions['model']): Promise<string> => {
    const { objective } = chooseRehearsal(await readRehearsals(media));
    const workspace = path.join(folder, `workspace ${(model.name ?? model.door).replace('/', ' ')}`);
    await cp(path.join(media, 'sample-workspace'), workspace, { recursive: true });
    const models = new HostModels({ media, apiKey: () => Promise.resolve(undefined), editorModel: selectEditorModel });
    const { signal } = new AbortController();
    const entered = await enterSquad({ workspace, models, logger: SILENT, host: 'editor' }, signal);
    const squad = entered.role === 'owner' ? entered.squad : assert.fail('somebody else owns this folder');
    try {
      const runId = await squad.runs.start(objective, { ...OPTIONS, model });
      await squad.runs.idle();
      const run = squad.ledger.state.runs[runId];
      assert.equal(run?.status, 'succeeded', run?.reason);
      return run.diff?.tree ?? '';
    } finally {
      await squad.dispose();
    }
  };

  it('leads to the tree that the rehearsal leads to, also where the model is sloppy', async () => {
    assert.notEqual(expectedTree, '');
    assert.equal(await treeOfRun({ door: 'editor', name: 'scripted/sloppy' }), expectedTree);
  });
});

const OPTIONS: Omit<RunOptions, 'model'> = {
  maxAgents: 4,
  budget: {},
  approve: ['plan', 'commands', 'writes', 'network'],
  atEnd: { kind: 'keep' },
};

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
