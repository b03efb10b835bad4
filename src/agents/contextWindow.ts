/**
 * A conversation that fits what a model can take. What is oldest goes first: results of tools, which can be asked for again, then
 * long texts in old calls. The rules, the task, the newest entries and the order of calls and results always stay.
 */
import type { ConversationEntry } from '../domain/conversation.ts';

export interface Fitting {
  readonly conversation: readonly ConversationEntry[];
  readonly tokens: number;
  /** Entries of which something is left out. */
  readonly leftOut: number;
}

/** So much room is made at once, so that not every further call has to make some again. */
const ROOMY = 0.75;
/** Newest entries that stay whole as long as that is possible. */
const KEPT = [8, 2] as const;
/** Shorter texts are not worth it. Characters. */
const SHORT = 400;

/**
 * `count` counts the tokens of the whole request with such a conversation. Where everything that can go is gone and it is still
 * too long, it is answered as it is: whoever is asked refuses it.
 */
export async function fitInto(
  whole: readonly ConversationEntry[],
  limit: number,
  count: (conversation: readonly ConversationEntry[]) => Promise<number>,
): Promise<Fitting> {
  const tokensOfAll = await count(whole);
  if (tokensOfAll <= limit) {
    return { conversation: whole, tokens: tokensOfAll, leftOut: 0 };
  }
  const entries = [...whole];
  let tokens = tokensOfAll;
  // The first two are the rules and the task.
  for (const kept of KEPT) {
    for (const shorten of [withoutResult, withShortCalls]) {
      for (let from = 2; from < entries.length - kept && tokens > limit;) {
        const perToken = lengthOf(entries) / tokens;
        let tooMuch = (tokens - limit * ROOMY) * perToken;
        for (; from < entries.length - kept && tooMuch > 0; from++) {
          const entry = entries[from];
          const shorter = entry && shorten(entry);
          if (shorter) {
            tooMuch -= lengthOf([entry]) - lengthOf([shorter]);
            entries[from] = shorter;
          }
        }
        tokens = await count(entries);
      }
    }
  }
  const leftOut = entries.filter((entry, index) => entry !== whole[index]).length;
  return { conversation: entries, tokens, leftOut };
}

/** Whether anything of a conversation can go, whatever it counts. */
export function canBeShorter(entries: readonly ConversationEntry[]): boolean {
  return entries.slice(2, -Math.min(...KEPT)).some((entry) => withoutResult(entry) ?? withShortCalls(entry));
}

/** The shorter entry, or undefined where nothing of this kind can go. */
type Shorten = (entry: ConversationEntry) => ConversationEntry | undefined;

const withoutResult: Shorten = (entry) =>
  entry.role === 'tool' && entry.text.length > SHORT
    ? {
        ...entry,
        text: `(What came of this call, ${entry.text.length} characters, is left out to make room. Call the tool again if you need it.)`,
      }
    : undefined;

const withShortCalls: Shorten = (entry) => {
  if (entry.role !== 'assistant' || lengthOf([entry]) <= SHORT) {
    return undefined;
  }
  return {
    ...entry,
    text: shortText(entry.text),
    toolCalls: entry.toolCalls.map((call) => ({ ...call, argumentsText: shortArguments(call.argumentsText) })),
  };
};

/** Providers want JSON there, so the texts in it are cut and not the whole. */
function shortArguments(text: string): string {
  if (text.length <= SHORT) {
    return text;
  }
  try {
    return JSON.stringify(JSON.parse(text), (_key, value: unknown) =>
      typeof value === 'string' ? shortText(value) : value,
    );
  } catch {
    return '{}';
  }
}

function shortText(text: string): string {
  return text.length <= SHORT ? text : `${text.slice(0, SHORT / 2)} … (${text.length - SHORT / 2} characters left out)`;
}

function lengthOf(entries: readonly ConversationEntry[]): number {
  return JSON.stringify(entries).length;
}
