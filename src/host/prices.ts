/**
 * Where prices come from: what the person wrote down first, then the list that comes with DevSquad (`media/prices.json`): what
 * OpenAI publishes for some of its models, without discounts for cached prompts or batches.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, UsageError } from '../domain/errors.ts';
import { parsePrices, priceOf, type Price, type PriceTable } from '../domain/prices.ts';
import { modelIdOf, type RunOptions } from '../domain/run.ts';
import { isMissing } from '../workspace/folders.ts';
import { OPENAI_URL } from '../llm/openaiUrl.ts';
import { squadHome } from './home.ts';

export interface PriceSources {
  /** Folder `media` of this installation. */
  readonly media: string;
  /** What a setting of the host says; it comes before all else. */
  readonly setting?: PriceTable;
}

/** Prices of the models that a run may ask, as far as they are known. Throws a UsageError where the person's file makes no sense. */
export async function pricesFor(
  choices: readonly RunOptions['model'][],
  { media, setting = [] }: PriceSources,
): Promise<Price[]> {
  const own = [...setting, ...(await readOwnPrices(path.join(squadHome().folder, 'prices.json')))];
  const list = path.join(media, 'prices.json');
  const builtIn = parsePrices(JSON.parse(await readFile(list, 'utf8')));
  return choices.flatMap((choice) => {
    const model = modelIdOf(choice);
    // Another address may charge otherwise for what it calls by the same name.
    const isListed = choice.door === 'openai' && (choice.baseUrl ?? OPENAI_URL).replace(/\/+$/, '') === OPENAI_URL;
    const price = priceOf(own, model) ?? (isListed ? priceOf(builtIn, model) : undefined);
    return price ? [{ ...price, model }] : [];
  });
}

async function readOwnPrices(file: string): Promise<Price[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw new UsageError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    return parsePrices(JSON.parse(text));
  } catch (error) {
    throw new UsageError(`${file} makes no sense, so no run begins. ${messageOf(error)}`, { cause: error });
  }
}
