/** Zero width, direction marks, variation selectors, tags, fillers and controls other than tab and newline. */
export const INVISIBLE =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class -- these very characters are looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;
const EACH = new RegExp(INVISIBLE, 'gu');
/** Asks for the coloured form of the sign before it. */
const EMOJI_STYLE = '\ufe0f';

/** The text with every character that a person could not see written as its code point, as `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  return text.replace(EACH, (character, at: number) => {
    if (character === EMOJI_STYLE && /\p{Extended_Pictographic}$/u.test(text.slice(Math.max(0, at - 2), at))) {
      return character;
    }
    const codePoint = character.codePointAt(0) ?? 0;
    return `⟨U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** Without control characters but newline, tab and the carriage return of a line's end: nothing in it steers what shows it. */
export function withoutControls(text: string): string {
  return text.replace(/(?!\r\n)(?![\n\t])\p{Cc}/gu, '');
}

/** Others' words of several lines, each marked as theirs: nothing in them passes for the words around it. */
export function quotedLines(text: string): string {
  return text.replace(/^/gm, '│ ');
}
