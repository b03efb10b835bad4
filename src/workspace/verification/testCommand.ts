/** How a workspace's own tests are run: what its package.json says, for now nothing else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isMissing } from '../folders.ts';

export type TestCommand =
  | { readonly kind: 'found'; readonly command: string }
  /** `reason` is a sentence that ends in a period. */
  | { readonly kind: 'none'; readonly reason: string };

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()).optional() });

/** What `npm init` writes for "no tests". */
const PLACEHOLDER = 'no test specified';

/** How the runner that a script calls takes a filter; one that is not listed gets it as its last argument. */
const FILTERS: readonly { readonly script: RegExp; readonly options: (filter: string) => string }[] = [
  {
    // After the files on node's own command line an option would be taken for one more file.
    script: /\bnode\b[^&|;]*\s--test\b/,
    options: (filter) => ` --node-options=${quote(`--test-name-pattern="${filter.replace(/["\\]/g, '\\$&')}"`)}`,
  },
  { script: /\bmocha\b/, options: (filter) => ` -- --grep ${quote(filter)}` },
  { script: /\b(?:jest|vitest)\b/, options: (filter) => ` -- -t ${quote(filter)}` },
];

/** `filter` is a part of tests' names, or a regular expression where the runner takes one. */
export async function findTestCommand(root: string, filter?: string): Promise<TestCommand> {
  const text = await readFile(join(root, 'package.json'), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
  return testCommandOf(text, filter);
}

/** `packageText`: what the workspace's package.json has; undefined where there is none. */
export function testCommandOf(packageText: string | undefined, filter?: string): TestCommand {
  const script = testScriptOf(packageText);
  if (typeof script !== 'string') {
    return script;
  }
  const base = 'npm test --silent';
  if (filter === undefined) {
    return { kind: 'found', command: base };
  }
  const known = FILTERS.find((runner) => runner.script.test(script));
  return { kind: 'found', command: base + (known?.options(filter) ?? ` -- ${quote(filter)}`) };
}

function testScriptOf(text: string | undefined): string | TestCommand {
  if (text === undefined) {
    return none('there is no package.json with a "test" script in the workspace root.');
  }
  const parsed = parsePackage(text);
  if (!parsed) {
    return none('package.json is not valid.');
  }
  const script = parsed.scripts?.['test']?.trim() ?? '';
  return script === '' || script.includes(PLACEHOLDER) ? none('package.json has no "test" script.') : script;
}

function parsePackage(text: string): z.infer<typeof packageSchema> | undefined {
  try {
    return packageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function none(reason: string): TestCommand {
  return { kind: 'none', reason: `No test command found: ${reason}` };
}

/** One word for bash, whatever it holds. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
