/**
 * Rehearsals: the prepared lines of a model for a known objective on the sample workspace. A rehearsal is an entry of
 * `index.json` and a script, `{ [task key]: turn[] }`. Anywhere in a script `{"$file": "path"}` stands for the text of a
 * file beside it, and `{"$lines": [...]}` for those lines joined, so that code stays readable.
 */
import * as z from 'zod';
import { HumanError, messageOf } from '../domain/errors.ts';
import { PLANNING_TASK_KEY } from '../domain/plan.ts';

/** Text of a file in the folder of rehearsals; the path is relative to it, with "/". The host reads. */
export type ReadRehearsalFile = (path: string) => Promise<string>;

const turnSchema = z.strictObject({
  text: z.string(),
  toolCalls: z.array(z.strictObject({ name: z.string().min(1), arguments: z.record(z.string(), z.unknown()) })),
});
/** What the model says in one answer. */
export type RehearsalTurn = z.infer<typeof turnSchema>;

const scriptSchema = z
  .record(z.string(), z.array(turnSchema).min(1))
  .refine((script) => Object.hasOwn(script, PLANNING_TASK_KEY), `a script needs the task "${PLANNING_TASK_KEY}"`);

const relativePathSchema = z.string().regex(/^(?!.*\.\.)[\w.-]+(\/[\w.-]+)*$/, 'must stay inside the folder');

const indexSchema = z
  .array(z.strictObject({ name: z.string().min(1), objective: z.string().min(1), script: relativePathSchema }))
  .min(1);

export interface Rehearsal {
  readonly name: string;
  readonly objective: string;
  /** Turns by task key; `plan` is the planning task. */
  readonly script: Readonly<Record<string, readonly RehearsalTurn[]>>;
}

/** All rehearsals of the index, in its order. Rejects with a HumanError that names the damaged file. */
export async function loadRehearsals(readFile: ReadRehearsalFile): Promise<Rehearsal[]> {
  const index = await readAs(indexSchema, 'index.json', readFile);
  return Promise.all(
    index.map(async ({ name, objective, script }) => ({
      name,
      objective,
      script: await readAs(scriptSchema, script, readFile),
    })),
  );
}

/**
 * The rehearsal with that name or objective, the first one where neither is given. Throws a HumanError with the list of
 * objectives where there is none. Letter case and the width of blanks do not count.
 */
export function chooseRehearsal(
  rehearsals: readonly Rehearsal[],
  wanted: { readonly name?: string | undefined; readonly objective?: string | undefined } = {},
): Rehearsal {
  const { name, objective } = wanted;
  const found = rehearsals.find(
    (rehearsal) =>
      (name === undefined || rehearsal.name === name) &&
      (objective === undefined || normalise(rehearsal.objective) === normalise(objective)),
  );
  if (!found) {
    const list = rehearsals.map((rehearsal) => `  ${rehearsal.name}: ${rehearsal.objective}`).join('\n');
    throw new HumanError(
      `There is no rehearsal of “${objective ?? name ?? ''}”. A rehearsal plays prepared answers and knows only:\n${list}\nChoose one of these, or a model that can work on any objective.`,
    );
  }
  return found;
}

function normalise(objective: string): string {
  return objective.trim().replace(/\s+/g, ' ').toLowerCase();
}

async function readAs<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  readFile: ReadRehearsalFile,
): Promise<z.infer<Schema>> {
  try {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    const value: unknown = JSON.parse(await readFile(path));
    return schema.parse(await resolveTexts(value, (file) => readFile(folder + relativePathSchema.parse(file))));
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new HumanError(
      `The rehearsal file ${path} cannot be used: ${detail}. Reinstalling DevSquad brings it back.`,
      { cause: error },
    );
  }
}

const fileReferenceSchema = z.strictObject({ $file: z.string() });
const linesSchema = z.strictObject({ $lines: z.array(z.string()) });

async function resolveTexts(value: unknown, readText: (file: string) => Promise<string>): Promise<unknown> {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map((item) => resolveTexts(item, readText)));
  }
  const reference = fileReferenceSchema.safeParse(value);
  if (reference.success) {
    return readText(reference.data.$file);
  }
  const lines = linesSchema.safeParse(value);
  if (lines.success) {
    return lines.data.$lines.join('\n');
  }
  const entries = Object.entries(value).map(async ([key, item]) => [key, await resolveTexts(item, readText)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
