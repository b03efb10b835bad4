import assert from 'node:assert/strict';
import { HumanError } from '../../../src/domain/errors.ts';
import { chooseRehearsal, loadRehearsals } from '../../../src/llm/rehearsal.ts';
import { readRehearsals } from '../../support/rehearsals.ts';

const folder = (files: Record<string, string>) => (path: string) =>
  path in files ? Promise.resolve(files[path]!) : Promise.reject(new Error(`no file ${path}`));

const index = JSON.stringify([{ name: 'one', objective: 'Do one thing', script: 'one/script.json' }]);

describe('the rehearsals', () => {
  it('are what is shipped: every one has a plan', async () => {
    const rehearsals = await readRehearsals();
    assert.ok(rehearsals.length > 0);
    assert.ok(rehearsals.every((rehearsal) => rehearsal.script['plan']));
  });

  it('take texts from files beside the script and from lines', async () => {
    const turn = {
      text: 'Hi',
      toolCalls: [{ name: 'x', arguments: { a: { $file: 'a.txt' }, b: [{ $lines: ['1', '2'] }] } }],
    };
    const files = { 'index.json': index, 'one/script.json': JSON.stringify({ plan: [turn] }), 'one/a.txt': 'A' };
    const [rehearsal] = await loadRehearsals(folder(files));
    assert.deepEqual(rehearsal?.script['plan']?.[0]?.toolCalls[0]?.arguments, { a: 'A', b: ['1\n2'] });
  });

  for (const [what, script] of [
    ['broken JSON', '{'],
    ['a script without a plan', '{"other":[{"text":"","toolCalls":[]}]}'],
    ['an unknown key', '{"plan":[{"text":"","toolCalls":[],"more":1}]}'],
    ['a missing file', '{"plan":[{"text":{"$file":"gone.txt"},"toolCalls":[]}]}'],
    ['a file outside the folder', '{"plan":[{"text":{"$file":"../index.json"},"toolCalls":[]}]}'],
  ] as const) {
    it(`refuse ${what} and name the file`, async () => {
      const loading = loadRehearsals(folder({ 'index.json': index, 'one/script.json': script }));
      await assert.rejects(
        loading,
        (error) => error instanceof HumanError && error.message.includes('one/script.json'),
      );
    });
  }

  it('are chosen by name, by objective in any letter case, and the first without either', async () => {
    const rehearsals = await readRehearsals();
    const [first] = rehearsals;
    assert.equal(chooseRehearsal(rehearsals), first);
    assert.equal(chooseRehearsal(rehearsals, { name: first!.name }), first);
    assert.equal(chooseRehearsal(rehearsals, { objective: `  ${first!.objective.toUpperCase()} ` }), first);
  });

  it('refuse an objective that none of them knows, with the list', async () => {
    const rehearsals = await readRehearsals();
    assert.throws(
      () => chooseRehearsal(rehearsals, { objective: 'Write a compiler' }),
      (error) =>
        error instanceof HumanError &&
        error.message.includes('Write a compiler') &&
        rehearsals.every((rehearsal) => error.message.includes(rehearsal.objective)),
    );
  });
});
