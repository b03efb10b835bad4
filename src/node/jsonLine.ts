import { INVISIBLE } from '../base/visibleText.ts';

const EACH = new RegExp(INVISIBLE, 'gu');

/** A value as one line of JSON for standard output, which may be a terminal: nothing in it steers one, or hides. */
export function jsonLine(value: unknown): string {
  const escaped = JSON.stringify(value).replace(EACH, (character) =>
    // Every half of a pair by itself, as JSON writes it.
    Array.from({ length: character.length }, (_, at) => escapeUnit(character.charCodeAt(at))).join(''),
  );
  return `${escaped}\n`;
}

function escapeUnit(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
