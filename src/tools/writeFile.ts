import * as z from 'zod';
import { undeclaredWrite } from './declaredWrites.ts';
import { defineTool } from './tool.ts';

export const writeFile = defineTool({
  name: 'write_file',
  description:
    'Writes a whole text file, making its folders; what was there is replaced. Use apply_edit for a small change.',
  input: z.strictObject({ path: z.string(), content: z.string().max(1_000_000) }),
  effect: 'write',
  afterCrash: 'repeat',
  asks: ({ path }, context) => undeclaredWrite(path, context),
  async run({ path, content }, { workspace }) {
    const { created } = await workspace.writeText(path, content);
    return { text: `${created ? 'Created' : 'Replaced'} ${path} (${content.split('\n').length} lines).` };
  },
});
