/** What becomes of one file, as a person is asked about it, and which contents follow from what they allowed. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';

/** Nobody reads a longer change in a dialog. Characters, and bytes of a file. */
export const LONGEST_SHOWN = 100_000;

/** What a file had and what it gets, as texts; absent where it is not there. */
export const fileTextsSchema = z.object({ before: z.string().optional(), after: z.string().optional() });
export type FileTexts = z.infer<typeof fileTextsSchema>;

/** What a command made of a protected file. Without `texts` it cannot be shown, so nobody can allow it. */
export const heldChangeSchema = z.object({
  path: z.string(),
  why: z.string(),
  texts: fileTextsSchema.optional(),
  isExecutable: z.literal(true).optional(),
});
export type HeldChange = z.infer<typeof heldChangeSchema>;

/** A change that a person allowed; `sha256` of what the file gets, where what it had may not be written down. */
export interface AllowedChange {
  readonly texts?: FileTexts | undefined;
  readonly sha256?: string | undefined;
}

/**
 * Texts that a file may have, the last one last, when it began with `base`: each change counts only for what the person saw
 * that it changes. Undefined stands for no file.
 */
export function allowedTexts(
  base: string | undefined,
  changes: readonly DeepReadonly<AllowedChange>[],
): (string | undefined)[] {
  const texts = [base];
  for (const { texts: change } of changes) {
    if (change && texts.includes(change.before)) {
      texts.push(change.after);
    }
  }
  return texts;
}
