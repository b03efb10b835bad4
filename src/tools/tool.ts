/** What a tool is: a name, a schema, what it does to the world, and the function that does it. */
import type * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestSubject } from '../domain/approval.ts';
import type { RunPolicy } from '../domain/policy.ts';
import type { EventDraft } from '../domain/events.ts';
import type { AgentAtWork } from '../domain/task.ts';
import type { McpServer } from '../domain/mcpServer.ts';
import type { Guardrails } from '../guardrails/guardrails.ts';
import type { Servers } from './servers.ts';
import type { Web } from './web.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';

export type ToolEffect = 'read' | 'write' | 'process' | 'network' | 'team';

/**
 * On whose behalf a call runs. `attempt` and `step` make the effect's key; `attempt` and `restarts` say which start of the
 * agent wants it, so that the effect of an earlier one does nothing.
 */
export interface ToolContext extends AgentAtWork {
  readonly step: number;
  /** Globs of the files that the task declared it would change. */
  readonly writes: readonly string[];
  readonly workspace: TaskWorkspace;
  readonly web: Web;
  readonly servers: Servers;
  /** Those that the run may use. */
  readonly mcpServers: readonly DeepReadonly<McpServer>[];
  /** What the run adds to the built-in rules. */
  readonly policy: RunPolicy;
  /** Whether what goes out could carry a secret to whoever wrote what was read: then all of it asks a person. */
  readonly couldCarryAway: boolean;
  /** What a person, or the policy for them, allowed this very call. */
  readonly granted?: DeepReadonly<RequestSubject>;
  readonly onOutput: (text: string) => void;
}

/** `ask`: a person must allow it first. */
export type Permission =
  | { readonly kind: 'free' }
  | { readonly kind: 'ask'; readonly subject: RequestSubject }
  /** The reason is for the model. */
  | { readonly kind: 'refuse'; readonly reason: string };

export interface ToolResult {
  /** For the model. Cut to `MAX_RESULT_CHARACTERS` by the runner. */
  readonly text: string;
  /** Events that the call caused; written together with its end. */
  readonly events?: readonly EventDraft[];
  /** Set when the call ends the agent's work on its task, with what it leads to. */
  readonly end?: { readonly value: unknown };
}

export interface Tool<Input = unknown> {
  readonly name: string;
  /** For the model: what it does, its limits, when to use it. */
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly effect: ToolEffect;
  /**
   * What to do with a call that a crash interrupted: `repeat` where running it again ends the same, `report` where only
   * the model can look what happened.
   */
  readonly afterCrash: 'repeat' | 'report';
  /** Whether the call may go ahead; free where the tool says nothing. Rejects with the signal's reason only. */
  permission?(
    input: Input,
    context: ToolContext,
    guardrails: Guardrails,
    signal: AbortSignal,
  ): Permission | Promise<Permission>;
  /** Throws ToolRefusal for what the model should do differently; any other error is a failure of the tool. */
  run(input: Input, context: ToolContext, signal: AbortSignal): Promise<ToolResult>;
}

/** Keeps a tool's input type and its `run` together. Sound: the runner passes only what `input` itself has parsed. */
export function defineTool<Input>(tool: Tool<Input>): Tool {
  return tool;
}

/** Whether a call may go ahead, with files and names as they are now. */
export type PermitTool = (
  tool: Tool,
  input: unknown,
  context: ToolContext,
  signal: AbortSignal,
) => Permission | Promise<Permission>;

export const permitBy =
  (guardrails: Guardrails): PermitTool =>
  (tool, input, context, signal) => {
    const { policy, couldCarryAway, workspace } = context;
    // A command that a person listed runs what nobody looked at, and without a sandbox that reaches whatever it likes.
    const added = couldCarryAway && !workspace.isSandboxed ? { ...policy, commands: [] } : policy;
    return tool.permission?.(input, context, guardrails.under(added), signal) ?? { kind: 'free' };
  };

/** Carries out one call. Rejects with what `run` throws. */
export type PerformTool = (
  tool: Tool,
  input: unknown,
  context: ToolContext,
  signal: AbortSignal,
) => Promise<ToolResult>;

export const performTool: PerformTool = (tool, input, context, signal) => tool.run(input, context, signal);

export const MAX_RESULT_CHARACTERS = 30_000;
