import * as z from 'zod';
import { permissionToWrite } from './permissions.ts';
import { defineTool } from './tool.ts';

export const writeFile = defineTool({
  name: 'write_file',
  description:
    'Writes a whole text file, making its folders; what was there is replaced. Use apply_edit for a small change.',
  input: z.strictObject({ path: z.string(), content: z.string().max(1_000_000) }),
  effect: 'write',
  afterCrash: 'repeat',
  permission: ({ path, content }, context, guardrails) => permissionToWrite(path, () => content, context, guardrails),
  async run({ path, content }, { workspace }) {
    const { created } = await workspace.writeText(path, content);
    return { text: `${created ? 'Created' : 'Replaced'} ${path} (${content.split('\n').length} lines).` };
  },
});
