import * as z from 'zod';
import { ToolRefusal } from '../domain/errors.ts';
import { permissionToWrite } from './permissions.ts';
import { defineTool } from './tool.ts';

const editSchema = z.strictObject({
  oldText: z.string().min(1),
  newText: z.string(),
  replaceAll: z.boolean().optional(),
});
type Edit = z.infer<typeof editSchema>;

export const applyEdit = defineTool({
  name: 'apply_edit',
  description:
    'Replaces parts of a text file. Each oldText must occur exactly once (or give replaceAll), with every blank and line break as in the file. All edits apply, in order, or none does.',
  input: z.strictObject({ path: z.string(), edits: z.array(editSchema).min(1).max(100) }),
  effect: 'write',
  afterCrash: 'repeat',
  permission: ({ path, edits }, context, guardrails) =>
    permissionToWrite(path, (before) => applyAll(before, edits, path), context, guardrails),
  async run({ path, edits }, { workspace }) {
    await workspace.writeText(path, applyAll(await workspace.readText(path), edits, path));
    return { text: `Changed ${path} (${edits.length} ${edits.length === 1 ? 'edit' : 'edits'}).` };
  },
});

function applyAll(before: string | undefined, edits: readonly Edit[], path: string): string {
  if (before === undefined) {
    throw new ToolRefusal(`${path} is not there, or no text that can be edited in parts. Use write_file.`);
  }
  return edits.reduce((text, edit, index) => applyOne(text, edit, `${path}, edit ${index + 1}`), before);
}

function applyOne(text: string, { oldText, newText, replaceAll }: Edit, where: string): string {
  const parts = text.split(oldText);
  const found = parts.length - 1;
  if (found === 0) {
    throw new ToolRefusal(
      `${where}: oldText does not occur. Read the file again and copy the lines exactly. Nothing was changed.`,
    );
  }
  if (found > 1 && !replaceAll) {
    throw new ToolRefusal(
      `${where}: oldText occurs ${found} times. Add lines around it until it is unique, or set replaceAll. Nothing was changed.`,
    );
  }
  return parts.join(newText);
}
