/** MCP servers over standard input and output: one is started for each call, in the task's own copy, and ended with its answer. */
import type { Client, JSONRPCMessage, jsonSchemaValidator, Transport } from '@modelcontextprotocol/client';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { messageOf, ToolRefusal } from '../domain/errors.ts';
import { ownVariablesOf, resolveProgram, type McpServer, type ServerTool } from '../domain/mcpServer.ts';
import type { ServerAnswer, ServerOffer, Servers } from '../tools/servers.ts';
import type { TalkingProgram } from '../workspace/talkingProgram.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';

/** Bytes of one answer, and of all that a server says in one start of it, about. */
const MAX_ANSWER = 1_000_000;
const MAX_TOTAL = 8_000_000;
const MAX_LINES = 10_000;
const LIST_MS = 60_000;
const CALL_MS = 180_000;
/** A model and a person read them. */
const MOST_TOOLS = 100;
const LONGEST_DESCRIPTION = 4_000;
const LONGEST_SCHEMA = 8_000;
const TOOL_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
/** A shorter text of the person's environment may well stand in an answer by chance. */
const SHORTEST_SECRET = 6;

/**
 * A server may say by a schema what its answers look like. Nobody is told of it, so nobody holds them to it: that schema, with
 * its patterns, would be made into code here and could keep this thread for ever.
 */
const NOT_JUDGED: jsonSchemaValidator = {
  // Of whatever type it was said to be.
  getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
};

type Definition = DeepReadonly<McpServer>;

export class McpClient implements Servers {
  private readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the servers of a copy offered when they were last asked. */
  private readonly offers = new WeakMap<TaskWorkspace, Map<string, readonly ServerTool[]>>();

  /** `environment` is the person's: a server gets of it what its definition names. */
  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.environment = environment;
  }

  async list(server: Definition, workspace: TaskWorkspace, signal: AbortSignal): Promise<ServerOffer> {
    const offer = await this.talk({ server, timeoutMs: LIST_MS }, workspace, listAll, signal);
    const offers = this.offers.get(workspace) ?? new Map<string, readonly ServerTool[]>();
    this.offers.set(workspace, offers.set(server.name, offer.tools));
    return offer;
  }

  listed(server: Definition, workspace: TaskWorkspace): readonly ServerTool[] | undefined {
    return this.offers.get(workspace)?.get(server.name);
  }

  call(
    { server, tool, input }: { server: Definition; tool: ServerTool; input: Record<string, unknown> },
    workspace: TaskWorkspace,
    signal: AbortSignal,
  ): Promise<ServerAnswer> {
    const call = async (client: Client): Promise<ServerAnswer> => {
      // As it was told when it was listed.
      const { tools } = this.withoutSecrets(server, await listAll(client));
      const now = tools.find(({ name }) => name === tool.name);
      if (now?.description !== tool.description || now.schema !== tool.schema) {
        throw new ToolRefusal(
          `It describes ${tool.name} otherwise than when it was allowed, so it was not called. Call list_server_tools again.`,
        );
      }
      const { content, isError } = await client.callTool({ name: tool.name, arguments: input }, { timeout: CALL_MS });
      return { text: content.map(textOf).join('\n'), isError: isError === true };
    };
    return this.talk({ server, timeoutMs: CALL_MS }, workspace, call, signal);
  }

  /** Rejects with a ToolRefusal in the host's words, otherwise with an Error that may hold the server's. */
  private async talk<Value>(
    { server, timeoutMs }: { server: Definition; timeoutMs: number },
    workspace: TaskWorkspace,
    talk: (client: Client) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value> {
    const missing = ownVariablesOf(server).filter((name) => !this.environment[name]);
    if (missing.length > 0) {
      throw new ToolRefusal(
        `${server.name} needs ${missing.join(', ')}, which the developer's environment does not have. Go on without it, and say so in finish_task.`,
      );
    }
    // Heavy, and most runs have no server.
    const mcp = await import('@modelcontextprotocol/client');
    const { words, env } = resolveProgram(server, workspace.root, this.environment);
    const [program = '', ...args] = words;
    const client = new mcp.Client({ name: 'devsquad', version: '1' }, { jsonSchemaValidator: NOT_JUDGED });
    try {
      const value = await workspace.talk(
        {
          argv: [program, ...args],
          env,
          network: server.network === true,
          timeoutMs,
          maxLine: MAX_ANSWER,
          maxTotal: MAX_TOTAL,
          maxLines: MAX_LINES,
        },
        async (started) => {
          await client.connect(new ProgramTransport(started, mcp.parseJSONRPCMessage), { timeout: timeoutMs });
          return talk(client);
        },
        signal,
      );
      return this.withoutSecrets(server, value);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ToolRefusal) {
        throw new ToolRefusal(`${server.name}: ${error.message}`);
      }
      throw new Error(this.withoutSecrets(server, `${server.name}: ${messageOf(error)}`), { cause: error });
    } finally {
      // What it still waits for, and the clocks of that, end with the program.
      await client.close();
    }
  }

  /** What a server was given of the person's environment is not told, whatever it says. */
  private withoutSecrets<Value>(server: Definition, value: Value): Value {
    let text = JSON.stringify(value);
    for (const name of ownVariablesOf(server)) {
      const secret = this.environment[name] ?? '';
      if (secret.length >= SHORTEST_SECRET) {
        const plain = JSON.stringify(secret).slice(1, -1);
        // A server may well answer with JSON itself.
        const quoted = JSON.stringify(plain).slice(1, -1);
        text = text.replaceAll(quoted, () => `[${name}]`).replaceAll(plain, () => `[${name}]`);
      }
    }
    // The same value, with other texts in it.
    return JSON.parse(text) as Value;
  }
}

/** All that it offers; what nobody could be told of is named. */
async function listAll(client: Client): Promise<ServerOffer> {
  const { tools: listed } = await client.listTools();
  const tools: ServerTool[] = [];
  const left: string[] = [];
  for (const { name, description = '', inputSchema } of listed) {
    const schema = JSON.stringify(inputSchema);
    if (!TOOL_NAME.test(name)) {
      left.push('One of its tools has a name that cannot be called.');
    } else if (description.length > LONGEST_DESCRIPTION || schema.length > LONGEST_SCHEMA) {
      left.push(`${name} is described at such length that nobody could look at it, so it cannot be called.`);
    } else if (tools.some((tool) => tool.name === name)) {
      left.push(`${name} is there twice; the first counts.`);
    } else if (tools.length >= MOST_TOOLS) {
      left.push(`It offers more than ${MOST_TOOLS} tools; the first count.`);
      break;
    } else {
      tools.push({ name, description, schema });
    }
  }
  return { tools, left };
}

type Content = Awaited<ReturnType<Client['callTool']>>['content'][number];

function textOf(content: Content): string {
  switch (content.type) {
    case 'text':
      return content.text;
    case 'resource':
      return 'text' in content.resource
        ? content.resource.text
        : `(left out: ${content.resource.uri}, which is no text)`;
    case 'resource_link':
      return `(a link to ${content.uri})`;
    case 'image':
    case 'audio':
      return `(left out: ${content.type})`;
  }
}

/** The protocol's messages, one a line. What is no message is passed over. */
class ProgramTransport implements Transport {
  onmessage?: Transport['onmessage'];
  onclose?: () => void;
  private readonly program: TalkingProgram;
  private readonly parse: (value: unknown) => JSONRPCMessage;

  /** `parse` throws for what is no message. */
  constructor(program: TalkingProgram, parse: (value: unknown) => JSONRPCMessage) {
    this.program = program;
    this.parse = parse;
  }

  start(): Promise<void> {
    this.program.onLine((line) => {
      const message = this.messageIn(line);
      if (message) {
        this.onmessage?.(message);
      }
    });
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    this.program.send(JSON.stringify(message));
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.onclose?.();
    return Promise.resolve();
  }

  private messageIn(line: string): JSONRPCMessage | undefined {
    try {
      return this.parse(JSON.parse(line));
    } catch {
      return undefined;
    }
  }
}
