/** The door of a page: what comes in is parsed, and what nobody could see in it is made visible. */
import { hostMessageSchema, type HostMessage } from './messages.ts';

/** Parses what came into a page; undefined for what is no message of ours, or was made by another version. Never throws. */
export function parseInPage(value: unknown): HostMessage | undefined {
  try {
    return withVisibleTexts(hostMessageSchema.parse(value));
  } catch {
    return undefined;
  }
}

/** Control and format characters but for newline and tab, and fillers: they turn text round, or hide in it. */
const UNSEEN = /[\p{Cc}\p{Cf}\u115f\u1160\u3164\uffa0]/gu;

/** Writes such a character as its code point, `⟨U+202E⟩`, so that a person reads what a model or a file really said. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
  );
}

/** The same value with all texts in it visible, keys included, so that ids stay the same on both sides of a record. */
function withVisibleTexts<Value>(value: Value): Value;
function withVisibleTexts(value: unknown): unknown {
  if (typeof value === 'string') {
    return visible(value);
  }
  if (Array.isArray(value)) {
    return value.map((each: unknown) => withVisibleTexts(each));
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [visible(key), withVisibleTexts<unknown>(each)]))
    : value;
}
