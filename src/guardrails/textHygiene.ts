/** Characters that a person cannot see, or takes for others, and texts that a model must not take for orders. */
import { INVISIBLE } from '../base/visibleText.ts';

/** Blanks that no shell takes for blanks. */
const STRANGE_BLANK = /[\u00a0\u1680\u2000-\u200a\u3000]/;

/** What looks like a letter or a sign of ASCII in most typefaces, beside what compatibility forms say. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...{ а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', г: 'r', һ: 'h', і: 'i', ј: 'j', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p' },
  ...{ ԛ: 'q', ѕ: 's', т: 't', ц: 'u', ѵ: 'v', ԝ: 'w', х: 'x', у: 'y', п: 'n', ь: 'b', ӏ: 'l' },
  ...{ А: 'A', В: 'B', С: 'C', Е: 'E', Н: 'H', І: 'I', Ј: 'J', К: 'K', М: 'M', О: 'O', Р: 'P', Ѕ: 'S', Т: 'T', Х: 'X' },
  ...{ α: 'a', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x', γ: 'y', ω: 'w', ϲ: 'c' },
  ...{ Α: 'A', Β: 'B', Ε: 'E', Η: 'H', Ι: 'I', Κ: 'K', Μ: 'M', Ν: 'N', Ο: 'O', Ρ: 'P', Τ: 'T', Χ: 'X', Υ: 'Y', Ζ: 'Z' },
  ...{ ı: 'i', ɡ: 'g', ɑ: 'a', ɩ: 'i', ӷ: 'r', օ: 'o', ո: 'n', ս: 'u', հ: 'h', ց: 'g', ѐ: 'e', ё: 'e', ї: 'i' },
  ...{ '\u2010': '-', '\u2011': '-', '\u2012': '-', '\u2013': '-', '\u2014': '-', '\u2015': '-', '\u2212': '-' },
  ...{ '\u2044': '/', '\u2215': '/', '\u29f8': '/', '\u2571': '/', '\u3002': '.', '\u06d4': '.', '\ua4f8': '.' },
  ...{ '\u2018': "'", '\u2019': "'", '\u201c': '"', '\u201d': '"', '\u02d0': ':', '\ua789': ':', '\u2236': ':' },
};

export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

export function hasStrangeBlank(text: string): boolean {
  return STRANGE_BLANK.test(text);
}

/** The text as an inattentive reader sees it: what cannot be seen is gone, what looks like ASCII is ASCII. */
export function asSeen(text: string): string {
  let seen = '';
  for (const character of text.normalize('NFKC')) {
    seen += INVISIBLE.test(character) && character !== '\n' ? '' : (LOOK_ALIKES[character] ?? character);
  }
  return seen;
}

/** Whether somebody who reads the text takes a character in it for one of ASCII that it is not. */
export function hasLookAlike(text: string): boolean {
  // A word in another script has letters that look like ours and misleads nobody, unless it has some of ours as well.
  return text.split(/\s+/).some((word) => {
    const plain = Array.from(word).filter((character) => /[ -~]/.test(character));
    const taken = Array.from(word).filter(
      (character) => !/[ -~]/.test(character) && /^[ -~]+$/.test(asSeen(character)),
    );
    const isForeign = plain.every((character) => !/[A-Za-z]/.test(character)) && taken.every(isLetter);
    return taken.length > 0 && !(isForeign && /[^ -~]/.test(asSeen(word)));
  });
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

const EACH_INVISIBLE = new RegExp(INVISIBLE, 'gu');
/** What a sign of pictures has around it so that it looks as it should: no words hide in it. */
const OF_PICTURES = /^[\ufe0f\u200d]$/;
const PICTURE = /\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?$/u;

/** The text as a model may read it: a person would see all of it. `count` says how many characters are gone. */
export function withoutInvisible(text: string): { readonly text: string; readonly count: number } {
  let count = 0;
  const plain = text.replace(EACH_INVISIBLE, (character, at: number) => {
    const ends = character === '\r' && text[at + 1] === '\n';
    const isOfPicture = OF_PICTURES.test(character) && PICTURE.test(text.slice(Math.max(0, at - 4), at));
    if (ends || isOfPicture) {
      return character;
    }
    count++;
    return '';
  });
  return { text: plain, count };
}

const FENCE = 'untrusted-text';

/**
 * A text that others wrote, marked for a model as information and no order. The text cannot end the mark, and has no
 * characters that nobody sees; `from` is the host's own word for where it comes from.
 */
export function asInformation(from: string, given: string): string {
  const { text, count } = withoutInvisible(given);
  const left = count === 0 ? '' : `\n(From the host: ${count} of its characters, which nobody sees, left out.)`;
  return `<${FENCE} from="${from}">\n${withoutTag(text, FENCE)}\n</${FENCE}>${left}`;
}

/** The text in which nothing begins or ends an element of that name, however it is written. */
export function withoutTag(text: string, name: string): string {
  return text.replace(new RegExp(`[<\uff1c\ufe64\u2039](?=[\\s/\\\\\uff0f]*${name})`, 'gi'), '&lt;');
}
