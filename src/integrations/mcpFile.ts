/** Reads which MCP servers `.vscode/mcp.json` of a workspace defines, of those that a person lets agents use. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser';
import * as z from 'zod';
import { HumanError, messageOf } from '../domain/errors.ts';
import { mcpServerSchema, type McpServer } from '../domain/mcpServer.ts';
import { isMissing } from '../workspace/folders.ts';

export const SERVERS_FILE = '.vscode/mcp.json';

/** Its other keys are the editor's. */
const fileSchema = z.object({ servers: z.record(z.string(), z.unknown()).default({}) });
const definitionSchema = z.object({
  type: z.literal('stdio').optional(),
  command: z.unknown(),
  args: z.unknown().optional(),
  env: z.unknown().optional(),
  envFile: z.undefined({ error: 'a file with variables is not read; name them in "env"' }).optional(),
  cwd: z.undefined({ error: 'it is started in the task’s own copy of the workspace' }).optional(),
});

/**
 * `wanted` are entries such as `docs` and `issues:network`; those that this workspace does not define are left out. Rejects
 * with a HumanError where the file, or what it says of a wanted one, is not understood: no run begins with other servers than
 * the person chose.
 */
export async function readServers(root: string, wanted: readonly string[]): Promise<McpServer[]> {
  if (wanted.length === 0) {
    return [];
  }
  try {
    const { servers } = fileSchema.parse(withComments(await readFile(path.join(root, SERVERS_FILE), 'utf8')));
    return wanted.flatMap((entry) => {
      const [name = '', network] = entry.split(':');
      return Object.hasOwn(servers, name) ? [readServer(name, servers[name], network !== undefined)] : [];
    });
  } catch (cause) {
    if (isMissing(cause)) {
      return [];
    }
    throw new HumanError(
      `No run begins with an MCP server that is not understood: ${SERVERS_FILE} of this workspace. ${wordsOf(cause)}\nMend it, or leave the server out of your list.`,
      { cause },
    );
  }
}

function readServer(name: string, written: unknown, network: boolean): McpServer {
  const found = definitionSchema.safeParse(written);
  if (!found.success) {
    const type = z.object({ type: z.string() }).safeParse(written);
    throw new HumanError(
      type.success && type.data.type !== 'stdio'
        ? `"${name}" is reached by ${type.data.type}; agents use servers that are started as a program.`
        : `"${name}": ${z.prettifyError(found.error)}`,
    );
  }
  const { command, args = [], env = {} } = found.data;
  const server = mcpServerSchema.safeParse({ name, command, args, env, ...(network ? { network } : {}) });
  if (!server.success) {
    throw new HumanError(`"${name}": ${z.prettifyError(server.error)}`);
  }
  return server.data;
}

/** JSON as editors write it: with comments and trailing commas. */
function withComments(text: string): unknown {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    throw new HumanError(`It is no JSON: ${printParseErrorCode(first.error)} at character ${first.offset}.`);
  }
  return value;
}

function wordsOf(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
}
