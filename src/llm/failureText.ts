/** What the text of a provider's failure gives away: providers agree on few codes, so for these kinds it has to be read. */
import type { ModelFailureKind } from '../domain/errors.ts';

const LONGEST_DETAIL = 500;

/** The first row that fits counts: quotas are often told with the words of rate limits. */
const KIND_BY_TEXT: readonly (readonly [text: RegExp, kind: ModelFailureKind])[] = [
  [/insufficient_quota|billing_hard_limit|exceeded your current quota/i, 'quota'],
  [
    /context_length_exceeded|maximum context length|context window|prompt is too long|exceeds token limit/i,
    'context-overflow',
  ],
  [/(does not|doesn't) support (tools|function)|tool.{0,40} not supported/i, 'no-tools'],
  [/rate_limit/i, 'rate-limit'],
];

export function kindFromText(text: string): ModelFailureKind | undefined {
  return KIND_BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
}

/** A provider's own words, safe to show: without control characters, and not longer than anyone reads. */
export function plainDetail(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ');
  return plain.length > LONGEST_DETAIL ? `${plain.slice(0, LONGEST_DETAIL)}…` : plain;
}
