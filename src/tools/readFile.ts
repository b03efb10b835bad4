import * as z from 'zod';
import { ToolRefusal } from '../domain/errors.ts';
import { permissionToRead } from './permissions.ts';
import { defineTool } from './tool.ts';

const MAX_LINES = 1500;

export const readFile = defineTool({
  name: 'read_file',
  description: `Reads a text file of the workspace, with line numbers. At most ${MAX_LINES} lines a call; give startLine and endLine for more.`,
  input: z.strictObject({
    path: z.string().describe('Path relative to the workspace'),
    startLine: z.number().int().min(1).optional(),
    endLine: z.number().int().min(1).optional(),
  }),
  effect: 'read',
  afterCrash: 'repeat',
  permission: ({ path }, context, guardrails) => permissionToRead(path, context, guardrails),
  async run({ path, startLine = 1, endLine }, { workspace }) {
    const lines = (await workspace.readText(path)).split('\n');
    if (lines.at(-1) === '') {
      lines.pop();
    }
    if (startLine > Math.max(1, lines.length)) {
      throw new ToolRefusal(`${path} has ${lines.length} lines; startLine ${startLine} is behind its end.`);
    }
    const last = Math.min(endLine ?? lines.length, startLine + MAX_LINES - 1, lines.length);
    const width = String(last).length;
    const shown = lines
      .slice(startLine - 1, last)
      .map((line, index) => `${String(startLine + index).padStart(width)}  ${line}`);
    const rest = last < lines.length ? `\n(lines ${last + 1} to ${lines.length} not shown)` : '';
    return { text: lines.length === 0 ? '(the file is empty)' : shown.join('\n') + rest };
  },
});
