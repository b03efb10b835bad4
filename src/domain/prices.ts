/**
 * What models cost, as data. A price is dollars for a million tokens; what calls cost is whole micro-dollars, so that sums
 * are exact. A model without a price is never counted as free: its tokens are counted as unpriced.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { messageOf, UsageError } from './errors.ts';

const dollars = z.number().min(0).max(1_000_000);

export const priceSchema = z.strictObject({
  /** A model's id, `openai/NAME` or `editor/VENDOR/ID`, or its part behind the first `/`; `*` stands for any characters. */
  model: z.string().min(1).max(200),
  /** Dollars for a million tokens of the prompt, and of the answer. */
  input: dollars,
  output: dollars,
});
export type Price = z.infer<typeof priceSchema>;
/** The first row that fits counts. */
export type PriceTable = readonly DeepReadonly<Price>[];

export const FREE: Readonly<Omit<Price, 'model'>> = { input: 0, output: 0 };

/** Prices as people write them: by model, `{"openai/gpt-4.1": {"input": 2, "output": 8}}`. Throws a UsageError that names what does not fit. */
export function parsePrices(value: unknown): Price[] {
  try {
    const rows = z.record(priceSchema.shape.model, priceSchema.omit({ model: true })).parse(value);
    return Object.entries(rows).map(([model, price]) => ({ model, ...price }));
  } catch (error) {
    const words = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UsageError(
      `Prices are dollars for a million tokens by model, as {"openai/NAME": {"input": 2, "output": 8}}. ${words}`,
      { cause: error },
    );
  }
}

/** Undefined where nobody knows it. */
export function priceOf(table: PriceTable, modelId: string): DeepReadonly<Price> | undefined {
  const name = modelId.slice(modelId.indexOf('/') + 1);
  return table.find(({ model }) => fits(model, modelId) || fits(model, name));
}

function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) {
    return pattern === text;
  }
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
    return false;
  }
  // What stands between the ends, in order; no regular expression, for these patterns come from outside.
  let rest = text.slice(first.length, text.length - last.length);
  for (const part of parts.slice(1, -1)) {
    const at = rest.indexOf(part);
    if (at < 0) {
      return false;
    }
    rest = rest.slice(at + part.length);
  }
  return true;
}

/** Of a model that a run asks. A rehearsal has no provider to pay. */
export function priceFor(
  { prices = [] }: { readonly prices?: PriceTable | undefined },
  door: string,
  modelId: string,
): Readonly<Omit<Price, 'model'>> | undefined {
  return priceOf(prices, modelId) ?? (door === 'rehearsal' ? FREE : undefined);
}

/** Whole micro-dollars, rounded up. */
export function costOf(
  { input, output }: Readonly<Omit<Price, 'model'>>,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
): number {
  // Dollars for a million tokens are micro-dollars for one; a millionth of that is exact enough for every price list.
  const millionths = inputTokens * Math.round(input * 1e6) + outputTokens * Math.round(output * 1e6);
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(millionths / 1e6));
}

export const MICRO = 1_000_000;

/** `$1.50`, and below a dollar `$0.0123`. */
export function formatUsd(microUsd: number): string {
  if (microUsd > 0 && microUsd < 100) {
    return '<$0.0001';
  }
  const digits = microUsd === 0 || microUsd >= MICRO || microUsd % 10_000 === 0 ? 2 : 4;
  return `$${(microUsd / MICRO).toFixed(digits)}`;
}
