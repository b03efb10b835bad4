import picomatch from 'picomatch';
import * as z from 'zod';
import { ToolRefusal } from '../domain/errors.ts';
import { whyCostlyGlob } from '../domain/globs.ts';
import { defineTool } from './tool.ts';

const DEFAULT_LIMIT = 300;

export const listFiles = defineTool({
  name: 'list_files',
  description: `Lists files of the workspace, ignored ones left out. "glob" filters (for example "src/**/*.ts"). At most ${DEFAULT_LIMIT} unless "limit" says more.`,
  input: z.strictObject({
    path: z.string().optional().describe('Folder to list; default the whole workspace'),
    glob: z.string().max(200).optional(),
    limit: z.number().int().min(1).max(2000).optional(),
  }),
  effect: 'read',
  afterCrash: 'repeat',
  async run({ path, glob, limit = DEFAULT_LIMIT }, { workspace }, signal) {
    const costly = glob === undefined ? undefined : whyCostlyGlob(glob);
    if (costly !== undefined) {
      throw new ToolRefusal(costly);
    }
    const folder =
      path === undefined || path === '.' || path === './' ? '' : `${path.replace(/^\.\//, '').replace(/\/+$/, '')}/`;
    const matches = glob === undefined ? () => true : picomatch(glob, { dot: true });
    const all = (await workspace.listFiles(signal)).filter((file) => file.startsWith(folder) && matches(file));
    if (all.length === 0) {
      return { text: 'No files match.' };
    }
    const rest = all.length > limit ? `\n(${all.length - limit} more not shown)` : '';
    return { text: all.slice(0, limit).join('\n') + rest };
  },
});
