/** MCP servers of a workspace that a person lets agents use. As data: a run keeps what they were when it began. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,59}';
export const serverNameSchema = z.string().regex(new RegExp(`^${NAME}$`), 'write a name such as docs');

/** As a person lists them: `docs`, or `issues:network` for one that may reach the network. */
const serverEntrySchema = z
  .string()
  .regex(new RegExp(`^${NAME}(?::network)?$`), 'write the name of a server, such as docs, or docs:network');
export const serverListSchema = z
  .array(serverEntrySchema)
  .max(20)
  .refine(
    (entries) => new Set(entries.map((entry) => entry.split(':')[0])).size === entries.length,
    'name each server once',
  );

/** The task’s own copy of the workspace, or a variable of the person's own environment. */
const REFERENCE = /\$\{(?:workspaceFolder|env:([A-Za-z_][A-Za-z0-9_]*))\}/g;

/** A text of a definition: of references it has the two that are known here. */
const definedTextSchema = z
  .string()
  .max(4000)
  // They stand among the words of a request, and could go on as if they were its own.
  .refine((text) => !/\p{Cc}/u.test(text), 'no line breaks, and no other control characters')
  .refine(
    (text) => !text.replace(REFERENCE, '').includes('${'),
    'of references it can have ${workspaceFolder} and, in env, ${env:NAME}',
  );
const withoutEnvironmentSchema = definedTextSchema.refine(
  (text) => environmentOf(text).length === 0,
  '${env:NAME} stands in env only',
);

export const mcpServerSchema = z.object({
  name: serverNameSchema,
  command: withoutEnvironmentSchema.min(1),
  args: z.array(withoutEnvironmentSchema).max(100),
  /** References stand as they were written: what they stand for is put in when it is started. */
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), definedTextSchema)
    .refine((variables) => Object.keys(variables).length <= 100, 'at most 100 variables'),
  network: z.literal(true).optional(),
});
export type McpServer = z.infer<typeof mcpServerSchema>;
/** What is started. */
export type ServerProgram = DeepReadonly<Pick<McpServer, 'command' | 'args' | 'env'>>;

/** One tool as its server describes it. */
export interface ServerTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its arguments, as text. */
  readonly schema: string;
}

/** Names of the person's variables that a text refers to. */
function environmentOf(text: string): string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name]) => name ?? []);
}

/** Variables of the person's own environment that the server gets. */
export function ownVariablesOf({ env }: Pick<ServerProgram, 'env'>): string[] {
  return [...new Set(Object.values(env).flatMap(environmentOf))];
}

/** The program's words and variables with what their references stand for; a variable that is not set is empty. */
export function resolveProgram(
  { command, args, env }: ServerProgram,
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly words: string[]; readonly env: Record<string, string> } {
  // In one go: what a reference stands for is not read again.
  const resolve = (text: string): string =>
    text.replace(REFERENCE, (_, name?: string) => (name === undefined ? folder : (environment[name] ?? '')));
  return {
    words: [command, ...args].map(resolve),
    env: Object.fromEntries(Object.entries(env).map(([name, text]) => [name, resolve(text)])),
  };
}

/** Words in its arguments and variables that may name what it loads, as `./hook.mjs` in `NODE_OPTIONS=--import=./hook.mjs`. */
export function wordsIn(program: ServerProgram): string[] {
  const { words, env } = resolveProgram(program, '.', {});
  return [...words, ...Object.values(env)].flatMap((text) => text.split(/[\s:;,=]+/)).filter(Boolean);
}

/** As a line of bash that starts it from the task's own copy; a person reads it, and the rules judge it. */
export function commandLineOf(program: ServerProgram): string {
  return resolveProgram(program, '.', {}).words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
