/** What a tool sees of MCP servers. `McpClient` is the one of the hosts. */
import type { McpServer, ServerTool } from '../domain/mcpServer.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';

/** `left`: sentences about what it offers and nobody can be told of. */
export interface ServerOffer {
  readonly tools: readonly ServerTool[];
  readonly left: readonly string[];
}

export interface ServerAnswer {
  readonly text: string;
  /** The tool itself says that it failed. */
  readonly isError: boolean;
}

/**
 * Each call starts the server in the task's own copy and ends it with its answer, so nothing of it runs that nobody waits
 * for. Both reject with a ToolRefusal in the host's own words, any other error may hold the server's, and with the signal's reason.
 */
export interface Servers {
  list(server: DeepReadonly<McpServer>, workspace: TaskWorkspace, signal: AbortSignal): Promise<ServerOffer>;
  /** What `list` answered last for this copy; undefined where nobody asked yet. */
  listed(server: DeepReadonly<McpServer>, workspace: TaskWorkspace): readonly ServerTool[] | undefined;
  /** Calls the tool if it is still described just so. */
  call(
    request: {
      readonly server: DeepReadonly<McpServer>;
      readonly tool: ServerTool;
      readonly input: Record<string, unknown>;
    },
    workspace: TaskWorkspace,
    signal: AbortSignal,
  ): Promise<ServerAnswer>;
}
