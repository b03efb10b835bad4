import assert from 'node:assert/strict';
import { fitInto } from '../../../src/agents/contextWindow.ts';
import type { ConversationEntry } from '../../../src/domain/conversation.ts';

const count = (entries: readonly ConversationEntry[]) => Promise.resolve(Math.ceil(JSON.stringify(entries).length / 4));

/** Rules, a task, and so many calls with results of that length; each call writes a file of `written` characters. */
function talk(calls: number, length: number, written = 10): ConversationEntry[] {
  return [
    { role: 'system', text: 'The rules. '.repeat(50) },
    { role: 'user', text: 'The task. '.repeat(50) },
    ...Array.from({ length: calls }, (_, index): ConversationEntry[] => [
      {
        role: 'assistant',
        text: '',
        toolCalls: [
          {
            id: `c${index}`,
            name: 'write_file',
            argumentsText: JSON.stringify({ path: 'a', content: 'w'.repeat(written) }),
          },
        ],
      },
      { role: 'tool', callId: `c${index}`, text: `result ${index} ${'x'.repeat(length)}` },
    ]).flat(),
  ];
}

describe('a conversation that a model has no room for', () => {
  it('is told whole as long as it fits', async () => {
    const whole = talk(10, 1000);
    const fitted = await fitInto(whole, await count(whole), count);
    assert.equal(fitted.conversation, whole);
    assert.equal(fitted.leftOut, 0);
  });

  it('loses its oldest results first, keeps rules, task, newest entries and every call with its result, and makes room at once', async () => {
    const whole = talk(40, 2000);
    const limit = Math.floor((await count(whole)) * 0.8);
    const { conversation, tokens, leftOut } = await fitInto(whole, limit, count);
    assert.ok(tokens <= limit * 0.85, `${tokens} of ${limit}`);
    assert.equal(tokens, await count(conversation));
    assert.equal(conversation.length, whole.length);
    assert.deepEqual(conversation.slice(0, 2), whole.slice(0, 2));
    assert.deepEqual(conversation.slice(-8), whole.slice(-8));
    conversation.forEach((entry, index) => {
      assert.equal(entry.role, whole[index]!.role);
      assert.equal('callId' in entry ? entry.callId : '', 'callId' in whole[index]! ? whole[index].callId : '');
    });
    const cut = conversation.map((entry, index) => entry !== whole[index]);
    assert.equal(cut.filter(Boolean).length, leftOut);
    assert.equal(cut.indexOf(true), 3, 'the oldest result');
    const results = conversation.filter(({ role }) => role === 'tool');
    assert.match(
      results[0]!.text,
      /^\(What came of this call, \d+ characters, is left out to make room\. Call the tool again/,
    );
  });

  it('loses long texts of old calls next, which stay JSON', async () => {
    const whole = talk(20, 10, 5000);
    const { conversation, tokens } = await fitInto(whole, 8000, count);
    assert.ok(tokens <= 8000);
    const [first] = conversation.filter((entry) => entry.role === 'assistant');
    const { path, content } = JSON.parse(first?.toolCalls[0]?.argumentsText ?? '') as { path: string; content: string };
    assert.ok(path === 'a' && content.length < 300 && content.includes('characters left out'));
  });

  it('is answered as it is where nothing more can go', async () => {
    const { tokens } = await fitInto(talk(3, 5000), 100, count);
    assert.ok(tokens > 100);
  });

  it('comes to an end whatever the counting says', async () => {
    const { conversation } = await fitInto(talk(30, 3000), 10, () => Promise.resolve(1000));
    assert.equal(conversation.length, 62);
  });
});
