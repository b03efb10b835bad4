import assert from 'node:assert/strict';
import { visibleText, withoutControls } from '../../../src/base/visibleText.ts';
import { jsonLine } from '../../../src/node/jsonLine.ts';
import { cleanText } from '../../../src/workspace/processOutput.ts';

/** Every control character, and what many terminals obey. */
const CONTROLS = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter((each) =>
  /\p{Cc}/u.test(each),
);
const SEQUENCES = [
  '\u001b[2J',
  '\u009b2J',
  '\u001b]0;owned\u0007',
  '\u001b]8;;http://a\u001b\\x',
  '\u001bP+q\u001b\\',
  '\u001bc',
  '\u001b[200~',
  '\u001b[6n',
];

describe('a captured text', () => {
  it('loses every control character but newline and tab, by itself and within a sequence', () => {
    for (const hostile of [...CONTROLS, ...SEQUENCES]) {
      const cleaned = cleanText(`a${hostile}b\n\tc`);
      assert.match(cleaned, /^a[^]*\n\tc$/);
      assert.doesNotMatch(cleaned.replace(/[\n\t]/g, ''), /\p{Cc}/u, JSON.stringify(hostile));
    }
  });

  it('is cleaned soon, whatever it is', () => {
    for (const part of ['\r', '\r\r\n', '\u001b', '\u001b]', '\u001bP', '\u001b[0', '\u009b', '\u001b[0;']) {
      const begun = performance.now();
      cleanText(part.repeat(200_000));
      assert.ok(performance.now() - begun < 20_000, `${JSON.stringify(part)}: ${performance.now() - begun} ms`);
    }
  });
});

describe('what a tool answers', () => {
  it('keeps the ends of lines as a file has them, and nothing that steers', () => {
    assert.equal(withoutControls('a\r\n\tb\u001b[2J\rc\u0000\u009bd\n'), 'a\r\n\tb[2Jcd\n');
  });
});

describe('what a terminal is given', () => {
  it('has code points in place of what it would obey, in words and in JSON, where they are the same to who parses it', () => {
    for (const hostile of [
      ...CONTROLS.filter((each) => each !== '\n' && each !== '\t'),
      '\u202e',
      '\u{e0041}',
      '\ufeff',
    ]) {
      assert.doesNotMatch(visibleText(hostile), /\p{Cc}|\p{Cf}/u);
      const line = jsonLine({ text: hostile });
      assert.doesNotMatch(line.slice(0, -1), /\p{Cc}|\p{Cf}/u);
      assert.deepEqual(JSON.parse(line), { text: hostile });
    }
  });
});
