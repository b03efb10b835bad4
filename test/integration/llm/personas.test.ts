/** The personas are the ground that scenarios stand on, so they are tried here through the door that scenarios use. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenAiModel } from '../../../src/llm/openaiModel.ts';
import type { Rehearsal } from '../../../src/llm/rehearsal.ts';
import { goodPersona, serverScript, sloppyPersona, type Persona } from '../../support/personas.ts';
import { HELPFUL, playPlanning, playTask, STRICT, type Reactions } from '../../support/playTask.ts';
import { copySampleWorkspace, readRehearsals } from '../../support/rehearsals.ts';
import { realClock } from '../../support/realClock.ts';
import { ScriptedServer } from '../../support/scriptedServer.ts';
import { TinyWorktree } from '../../support/tinyTools.ts';

describe('a persona behind the OpenAI-compatible door', function () {
  let rehearsal: Rehearsal;
  let sample: string;
  let scratch: string;
  let server: ScriptedServer;

  before(async () => {
    [rehearsal] = (await readRehearsals()) as [Rehearsal];
    sample = await copySampleWorkspace();
  });

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'devsquad-persona-'));
  });

  afterEach(async () => {
    await server.close();
    await rm(scratch, { recursive: true });
  });

  after(() => rm(sample, { recursive: true }));

  /** Plays planning and the first two tasks; returns how many answers that took. */
  const play = async (persona: Persona, reactions: Reactions): Promise<number> => {
    server = await ScriptedServer.start(serverScript(persona));
    const model = new OpenAiModel({ baseUrl: server.baseUrl, model: 'persona', clock: realClock });
    const plan = await playPlanning(model, await TinyWorktree.copyOf(sample, join(scratch, 'plan')), reactions);
    await Promise.all(
      plan.tasks.slice(0, 2).map(async (task) => {
        await playTask(model, task, await TinyWorktree.copyOf(sample, join(scratch, task.key)), reactions);
      }),
    );
    return server.requests.length;
  };

  it('good: says the lines as they are', async () => {
    const lines = ['plan', 'search', 'error-tests'].map((key) => rehearsal.script[key]!.length);
    assert.equal(
      await play(goodPersona(rehearsal), STRICT),
      lines.reduce((sum, count) => sum + count),
    );
  });

  it('sloppy: slips on every kind of thing, and gets there when it is told what to do instead', async () => {
    const answers = await play(sloppyPersona(rehearsal), HELPFUL);
    const said = server.requests.flatMap(({ conversation }) =>
      conversation.filter((entry) => entry.role === 'assistant'),
    );
    const called = new Set(said.flatMap((entry) => entry.toolCalls.map((call) => call.name)));
    assert.ok(called.has('readFile') && called.has('create_file'));
    assert.ok(said.some((entry) => entry.toolCalls.length === 0 && entry.text.includes('```json')));
    assert.ok(said.some((entry) => entry.toolCalls.length === 0 && entry.text.startsWith('All done')));
    assert.ok(answers > 20);
  });

  it('sloppy: gets nowhere when it is only told that something was wrong', async () => {
    const vague: Reactions = { onToolError: () => 'Error.', onProse: () => 'Go on.' };
    await assert.rejects(play(sloppyPersona(rehearsal), vague), /not done after/);
  });
});
