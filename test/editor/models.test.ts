import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { chooseRehearsal } from '../../src/llm/rehearsal.ts';
import { startEditor, type Editor } from '../support/editorHost.ts';
import { goodPersona, serverScript } from '../support/personas.ts';
import { rehearseHeadless } from '../support/headless.ts';
import { rehearsedTree } from '../support/rehearsedTree.ts';
import { readRehearsals } from '../support/rehearsals.ts';
import { ScriptedServer } from '../support/scriptedServer.ts';
import {
  answerInput,
  clickInDialog,
  notification,
  openSideBar,
  pick,
  runsOf,
  runThat,
  sampleWorkspace,
} from '../support/workbench.ts';

const scriptedModels = path.join(projectFolder, 'dist/test/scriptedModels');
const settings = { 'devsquad.approve': ['plan', 'commands', 'writes'] };

describe('the same objective through every model door in VS Code', () => {
  let editor: Editor;
  let server: ScriptedServer;
  let objective: string;
  let expectedTree: string;
  let workspace: string;

  before(async function () {
    const rehearsal = chooseRehearsal(await readRehearsals());
    objective = rehearsal.objective;
    server = await ScriptedServer.start(serverScript(goodPersona(rehearsal)));
    expectedTree = await rehearsedTree(rehearseHeadless);
    workspace = sampleWorkspace();
    editor = await startEditor({ extensions: [projectFolder, scriptedModels], folder: workspace, settings });
    await openSideBar(editor);
  });

  after(async () => {
    await editor.stop();
    await server.close();
    rmSync(path.dirname(workspace), { recursive: true, force: true });
  });

  const chooseModel = async (): Promise<void> => {
    await editor.command('DevSquad: Select Model…');
    await editor.page.getByText('Which model should the team use?').waitFor();
  };

  const chosen = (name: string): Promise<void> => notification(editor, `The team uses ${name} from`).waitFor();

  const runsToTheTree = async (): Promise<void> => {
    const before = (await runsOf(editor)).length;
    await editor.command('DevSquad: Start a Run…');
    await answerInput(editor, 'What should the team do?', objective);
    const run = await runThat(editor, ({ phase }, count) => phase === 'ended' && count > before);
    assert.equal(run.status, 'succeeded', run.reason);
    assert.equal(run.diff?.tree, expectedTree);
  };

  it('leads to the same tree with a sloppy model of VS Code', async () => {
    await chooseModel();
    await pick(editor, 'Which model should the team use?', 'scripted/sloppy');
    await chosen('scripted/sloppy');
    await runsToTheTree();
  }).timeout(180_000);

  it('leads to the same tree with a model of VS Code that it guards, once the person allows it as they start', async () => {
    await chooseModel();
    await editor.screenshot('models-1-select');
    await pick(editor, 'Which model should the team use?', 'scripted/guarded');
    await chosen('scripted/guarded');
    const before = (await runsOf(editor)).length;
    const start = async (): Promise<void> => {
      await editor.command('DevSquad: Start a Run…');
      await answerInput(editor, 'What should the team do?', objective);
    };
    await start();
    const asked = await clickInDialog(editor, 'Cancel', 'models-2-consent');
    assert.match(asked, /'DevSquad.*' wants to access the language models provided by Scripted Models/);
    assert.match(asked, /DevSquad’s agents plan and carry out the objectives that you give them/);
    const sentence = /Nothing was started: .*Scripted guarded \(scripted\).*choose Allow, or choose another model/;
    await notification(editor, sentence).waitFor();
    assert.equal((await runsOf(editor)).length, before, 'a run that nobody allowed began');

    await start();
    await clickInDialog(editor, 'Allow');
    const allowed = await runThat(editor, ({ phase }, count) => phase === 'ended' && count > before);
    assert.equal(allowed.status, 'succeeded', allowed.reason);
    assert.equal(allowed.diff?.tree, expectedTree);
    // No second question, which would keep the plan from coming, and might come while a run goes on by itself.
    await editor.reload();
    await openSideBar(editor);
    await start();
    await runThat(editor, ({ phase }, count) => phase === 'working' && count > before + 1);
    await editor.command('DevSquad: Emergency Stop');
    await runThat(editor, ({ stopped }) => stopped);
  }).timeout(240_000);

  it('leads to the same tree with an OpenAI-compatible endpoint', async () => {
    await chooseModel();
    await pick(editor, 'Which model should the team use?', 'OpenAI-compatible');
    await answerInput(editor, 'Address of the endpoint', server.baseUrl);
    await answerInput(editor, 'Name of the model', 'scripted');
    await answerInput(editor, 'secret storage only', 'a-key-of-no-worth');
    await chosen('scripted');
    await runsToTheTree();
    assert.ok(server.requests.some(({ headers }) => headers.authorization === 'Bearer a-key-of-no-worth'));
  }).timeout(180_000);
});
