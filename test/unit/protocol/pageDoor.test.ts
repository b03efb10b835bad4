import assert from 'node:assert/strict';
import { parseInPage, visible } from '../../../src/protocol/pageDoor.ts';

describe('the door of a page', () => {
  it('shows characters that turn text round or hide in it', () => {
    assert.equal(visible('\u202Egnp.exe'), '⟨U+202E⟩gnp.exe');
    assert.equal(visible('a\u200Bb\u0000c\u{E0041}d\uFEFF'), 'a⟨U+200B⟩b⟨U+0000⟩c⟨U+E0041⟩d⟨U+FEFF⟩');
  });

  it('leaves everything else as it is', () => {
    const text = 'Grüße, 你好\n\tשלום 🙂';
    assert.equal(visible(text), text);
  });

  it('does so in every text of a message', () => {
    assert.deepEqual(parseInPage({ type: 'refused', message: 'no\u202E' }), { type: 'refused', message: 'no⟨U+202E⟩' });
  });

  for (const value of [
    undefined,
    null,
    'slice',
    {},
    { type: 'allow' },
    { type: 'events', after: -1, through: 0, events: [] },
  ]) {
    it(`lets in no ${JSON.stringify(value)}`, () => {
      assert.equal(parseInPage(value), undefined);
    });
  }
});
