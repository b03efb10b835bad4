import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { ModelError } from '../../../src/domain/errors.ts';
import { PartAssembly, type CallPart } from '../../../src/llm/partAssembly.ts';

describe('an answer of whole parts', () => {
  let assembly: PartAssembly;

  beforeEach(() => {
    assembly = new PartAssembly('call-3-');
  });

  it('joins its texts, and stops because all is said', () => {
    assert.equal(assembly.addText('Hello '), 'Hello ');
    assembly.addText('world');
    assert.deepEqual(assembly.complete(), { text: 'Hello world', toolCalls: [], finishReason: 'stop' });
  });

  it('keeps calls in order, with texts of their arguments, and stops because it wants tools', () => {
    assembly.addCall({ callId: 'one', name: 'read_file', input: { path: 'a "b".js' } });
    assembly.addCall({ callId: 'two', name: 'list_files', input: {} });
    assert.deepEqual(assembly.complete(), {
      text: '',
      toolCalls: [
        { id: 'one', name: 'read_file', argumentsText: '{"path":"a \\"b\\".js"}' },
        { id: 'two', name: 'list_files', argumentsText: '{}' },
      ],
      finishReason: 'tool-calls',
    });
  });

  it('keeps two calls apart that came with the same id', () => {
    assembly.addCall({ callId: 'same', name: 'read_file', input: { path: 'a' } });
    assembly.addCall({ callId: 'same', name: 'read_file', input: { path: 'b' } });
    const texts = assembly.complete().toolCalls.map((call) => call.argumentsText);
    assert.deepEqual(texts, ['{"path":"a"}', '{"path":"b"}']);
  });

  for (const callId of [undefined, '', 7]) {
    it(`gives a call an id of its own instead of ${inspect(callId)}`, () => {
      assembly.addCall({ callId, name: 'list_files', input: {} });
      assert.equal(assembly.complete().toolCalls[0]!.id, 'call-3-1');
    });
  }

  it('hands on the text of arguments that a provider could not parse, for the tool to refuse', () => {
    assembly.addCall({ callId: 'one', name: 'read_file', input: '{"path": "README.md",}' });
    assert.equal(assembly.complete().toolCalls[0]!.argumentsText, '{"path": "README.md",}');
  });

  for (const input of [undefined, '']) {
    it(`takes ${inspect(input)} for no arguments`, () => {
      assembly.addCall({ callId: 'one', name: 'list_files', input });
      assert.equal(assembly.complete().toolCalls[0]!.argumentsText, '{}');
    });
  }

  const broken: readonly (readonly [what: string, part: CallPart])[] = [
    ...[null, 7, true, ['README.md']].map(
      (input) => [`arguments ${JSON.stringify(input)}`, { callId: 'one', name: 'read_file', input }] as const,
    ),
    ['no name', { callId: 'one', name: undefined, input: {} }],
    ['an empty name', { callId: 'one', name: '', input: {} }],
  ];
  for (const [what, part] of broken) {
    it(`refuses a call with ${what}`, () => {
      refuses(() => {
        assembly.addCall(part);
      });
    });
  }

  for (const value of [undefined, null, 7, {}]) {
    it(`refuses ${inspect(value)} as a text`, () => {
      refuses(() => assembly.addText(value));
    });
  }

  it('refuses to be empty', () => {
    refuses(() => assembly.complete());
    assembly.addText('');
    refuses(() => assembly.complete());
  });

  it('gives up on an answer without end', () => {
    refuses(() => {
      for (;;) {
        assembly.addText('x'.repeat(100_000));
      }
    });
  });
});

function refuses(work: () => unknown): void {
  assert.throws(work, (error) => error instanceof ModelError && error.kind === 'malformed');
}
