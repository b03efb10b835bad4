/**
 * Links into the editor: which there are, and what one may say. There is one, `/run?objective=…`; a link that has anything
 * else in it is refused as a whole.
 */
import { visibleText } from '../base/visibleText.ts';
import { withoutInvisible } from './textHygiene.ts';

/** What a dialog of any system shows whole, with the host's own words around it. */
const MAX_CHARACTERS = 1_000;
const MAX_LINES = 12;
/** Of a link in which every character is written as its code. */
const MAX_QUERY = 20_000;
const MAX_QUOTED = 40;

/** As VS Code takes it apart. */
export interface EditorLink {
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
}

export type LinkVerdict =
  /** Once a person has read `shown` and confirmed it; `objective` is the same without what nobody sees. */
  | { readonly kind: 'ask'; readonly shown: string; readonly objective: string }
  | { readonly kind: 'deny'; readonly reason: string };

export function judgeLink({ path, query, fragment }: EditorLink): LinkVerdict {
  if (path !== '/run') {
    return deny(`There is no link to “${quoted(path)}”, only one to “/run”.`);
  }
  if (fragment !== '') {
    return deny('Something stands behind a “#” in it. Where that belongs to the objective, write it as %23.');
  }
  if (query.length > MAX_QUERY) {
    return deny(TOO_LONG);
  }
  const parameters = [...new URLSearchParams(asForm(query))];
  const unknown = parameters.find(([name]) => name !== 'objective');
  if (unknown) {
    return deny(
      `It has the parameter “${quoted(unknown[0])}”. A link carries an objective and nothing else, and no “&” in it.`,
    );
  }
  const [first, second] = parameters;
  if (!first || second) {
    return deny(`The parameter “objective” has to stand in it once, not ${first ? 'more often' : 'never'}.`);
  }
  return judgeObjective(first[1]);
}

function judgeObjective(text: string): LinkVerdict {
  const given = text.replaceAll('\r\n', '\n').trim();
  const shown = visibleText(given);
  const objective = withoutInvisible(given).text.trim();
  if (objective === '') {
    return deny('Its parameter “objective” says nothing.');
  }
  return shown.length > MAX_CHARACTERS || shown.split('\n').length > MAX_LINES
    ? deny(TOO_LONG)
    : { kind: 'ask', shown, objective };
}

/**
 * A desktop takes the codes out of a query before it hands it over, a browser does not. Where there are blanks or letters
 * that no query can have they are out, and what looks like a code is none.
 */
function asForm(query: string): string {
  return /[^!-~]/.test(query) ? query.replaceAll('%', '%25').replaceAll('+', '%2B') : query;
}

const TOO_LONG = `Its parameter “objective” is too long: ${MAX_CHARACTERS.toLocaleString('en')} characters and ${MAX_LINES} lines are what you can read at a glance.`;

function deny(reason: string): LinkVerdict {
  return { kind: 'deny', reason: `This link was not followed. ${reason}` };
}

function quoted(text: string): string {
  return visibleText(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text).replace(/\s+/g, ' ');
}
