import assert from 'node:assert/strict';
import { chooseRehearsal } from '../../src/llm/rehearsal.ts';
import { endOf, rehearseHeadless, Sandbox, type Finished } from '../support/headless.ts';
import { goodPersona, serverScript, sloppyPersona, type Persona } from '../support/personas.ts';
import { rehearsedTree } from '../support/rehearsedTree.ts';
import { readRehearsals } from '../support/rehearsals.ts';
import { ScriptedServer, type Script } from '../support/scriptedServer.ts';

describe('the same objective through the OpenAI-compatible door', () => {
  let sandbox: Sandbox;
  let expectedTree: string;
  before(async () => {
    expectedTree = await rehearsedTree(rehearseHeadless);
  });
  beforeEach(() => {
    sandbox = new Sandbox();
  });
  afterEach(async () => {
    await sandbox.checkTables();
    sandbox.dispose();
  });

  const runWith = async (script: Script): Promise<{ finished: Finished; headers: ScriptedServer['requests'] }> => {
    const server = await ScriptedServer.start(script);
    try {
      const { objective } = chooseRehearsal(await readRehearsals());
      const door = ['--model', 'openai', '--base-url', server.baseUrl, '--model-name', 'scripted'];
      const finished = await sandbox.run(
        'run',
        objective,
        '--workspace',
        sandbox.workspace,
        '--approve',
        'all',
        '--json',
        ...door,
      );
      return { finished, headers: server.requests };
    } finally {
      await server.close();
    }
  };
  const persona = async (
    make: (rehearsal: Awaited<ReturnType<typeof readRehearsals>>[number]) => Persona,
  ): Promise<Script> => serverScript(make(chooseRehearsal(await readRehearsals())));

  it('leads to the tree that the rehearsal leads to', async () => {
    const { finished } = await runWith(await persona(goodPersona));

    assert.equal(finished.exitCode, 0, finished.stderr);
    assert.equal(endOf(finished).tree, expectedTree);
  });

  it('ends right also with a sloppy model: wrong names, missed edits, prose instead of calls', async () => {
    const { finished } = await runWith(await persona(sloppyPersona));

    assert.equal(finished.exitCode, 0, finished.stderr);
    assert.equal(endOf(finished).tree, expectedTree);
  });

  it('ends in a clear failure with nothing touched when the model only talks', async () => {
    const before = sandbox.fingerprint();
    const { finished } = await runWith(() => ({ text: 'Certainly! Here is my plan.', toolCalls: [] }));

    assert.equal(finished.exitCode, 1);
    assert.match(finished.stderr, /without calling a tool/);
    assert.equal(sandbox.fingerprint(), before);
  });

  it('refuses a plan with a cycle or an unknown role by name, and gives up when it is not mended', async () => {
    const task = { title: 'T', description: 'D', role: 'coding', type: 'generate-code', acceptance: [] };
    const cycle = {
      summary: 's',
      strategy: 'parallel',
      why: 'w',
      tasks: [
        { ...task, key: 'a', dependsOn: ['b'] },
        { ...task, key: 'b', dependsOn: ['a'] },
      ],
    };
    const cyclic = await runWith(() => ({ text: '', toolCalls: [{ name: 'submit_plan', arguments: cycle }] }));
    assert.equal(cyclic.finished.exitCode, 1);
    assert.ok(cyclic.finished.events.some(({ result }) => String(result).includes('a → b → a')));
  });

  it('says that the model cannot be reached or the key is wrong, with exit 1', async () => {
    const { finished } = await runWith(() => ({ fault: 'status', status: 401 }));
    assert.equal(finished.exitCode, 1);
    assert.match(finished.stderr, /key/i);
  });
});
