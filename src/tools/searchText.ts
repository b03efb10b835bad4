import * as z from 'zod';
import { ToolRefusal } from '../domain/errors.ts';
import { isSecret } from '../guardrails/protectedFiles.ts';
import { whyCostly } from '../guardrails/searchRules.ts';
import { defineTool } from './tool.ts';

const DEFAULT_LIMIT = 100;

export const searchText = defineTool({
  name: 'search_text',
  description:
    'Searches the files of the workspace for a text, or for a POSIX extended regular expression with isRegex. Answers path:line:text. Files that hold secrets are left out.',
  input: z.strictObject({
    query: z.string().min(1).max(1000),
    isRegex: z.boolean().optional(),
    glob: z.string().max(200).optional(),
    limit: z.number().int().min(1).max(1000).optional(),
  }),
  effect: 'read',
  afterCrash: 'repeat',
  async run({ query, isRegex = false, glob, limit = DEFAULT_LIMIT }, { workspace }, signal) {
    const costly = isRegex ? whyCostly(query) : undefined;
    if (costly !== undefined) {
      throw new ToolRefusal(costly);
    }
    const found = await workspace.search({ query, isRegex, ...(glob === undefined ? {} : { glob }) }, signal);
    const lines = found.filter((line) => !isSecret(line.slice(0, line.search(/:\d+:/)).split('/')));
    if (lines.length === 0) {
      return { text: 'Nothing found.' };
    }
    const shown = lines.slice(0, limit).map((line) => (line.length > 400 ? `${line.slice(0, 400)}…` : line));
    const rest = lines.length > limit ? `\n(${lines.length - limit} more not shown)` : '';
    return { text: shown.join('\n') + rest };
  },
});
