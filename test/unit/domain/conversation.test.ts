import assert from 'node:assert/strict';
import { afterPutOff, PUT_OFF, type ConversationEntry, type ToolCall } from '../../../src/domain/conversation.ts';

const callOf = (id: string): ToolCall => ({ id, name: 'step', argumentsText: '{}' });
const answer = (...ids: string[]): ConversationEntry => ({ role: 'assistant', text: '', toolCalls: ids.map(callOf) });
const result = (callId: string, text = 'ok'): ConversationEntry => ({ role: 'tool', callId, text });
const mail: ConversationEntry = { role: 'user', text: 'Mail' };

describe('a conversation into which mail came', () => {
  it('tells a model with prepared lines what to call again', () => {
    const { repeat, heard } = afterPutOff([
      answer('a', 'b', 'c'),
      result('a'),
      result('b', PUT_OFF),
      result('c', PUT_OFF),
      mail,
    ]);
    assert.deepEqual(repeat, [callOf('b'), callOf('c')]);
    assert.deepEqual(heard, [answer('a', 'b', 'c'), result('a'), mail]);
  });

  it('reads as if nothing had been once all was called again, however often it took', () => {
    const { repeat, heard } = afterPutOff([
      ...[answer('a', 'b', 'c'), result('a'), result('b', PUT_OFF), result('c', PUT_OFF), mail],
      ...[answer('b2', 'c2'), result('b2'), result('c2', PUT_OFF), mail],
      ...[answer('c3'), result('c3')],
      answer('d'),
    ]);
    assert.deepEqual(repeat, []);
    assert.deepEqual(heard, [
      ...[answer('a', 'b', 'c'), result('a'), mail, result('b2'), mail, result('c3')],
      answer('d'),
    ]);
  });
});
