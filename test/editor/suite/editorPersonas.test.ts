/** The personas are what tests of whole runs stand on, so they are tried here through the door that those use. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { selectEditorModel } from '../../../src/vscode/editorModels.ts';
import { HELPFUL, playPlanning, playTask, STRICT, type Reactions } from '../../support/playTask.ts';
import { copySampleWorkspace } from '../../support/rehearsals.ts';
import { TinyWorktree } from '../../support/tinyTools.ts';
import { scriptedModels } from './scriptedDoor.ts';

describe('a persona behind the door of VS Code', function () {
  this.timeout(120_000);
  let scratch: string;
  let sample: string;

  before(async () => {
    await scriptedModels();
    const { extensionPath } = vscode.extensions.getExtension('vibe-devsquad.devsquad')!;
    sample = await copySampleWorkspace(path.join(extensionPath, 'media'));
  });

  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'devsquad-persona-'));
  });

  afterEach(() => rm(scratch, { recursive: true }));

  after(() => rm(sample, { recursive: true }));

  /** Plays planning and the first task of the plan; returns how many answers that took. */
  const play = async (name: string, reactions: Reactions): Promise<number> => {
    const { requests } = await scriptedModels();
    const before = requests.length;
    const model = await selectEditorModel(`scripted/${name}`, new AbortController().signal);
    const plan = await playPlanning(model, await TinyWorktree.copyOf(sample, path.join(scratch, 'plan')), reactions);
    const task = plan.tasks[0]!;
    await playTask(model, task, await TinyWorktree.copyOf(sample, path.join(scratch, task.key)), reactions);
    return requests.length - before;
  };

  it('good: says the lines as they are; sloppy: needs more of them, but gets there', async () => {
    const lines = await play('good', STRICT);
    const withSlips = await play('sloppy', HELPFUL);
    assert.ok(withSlips > lines + 5, `${lines} and ${withSlips} answers`);
  });
});
