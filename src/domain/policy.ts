/** What a person, and the workspace they work in, add to the built-in rules of what agents may do. As data: a run keeps it. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { UsageError } from './errors.ts';
import { hostEntrySchema } from './hosts.ts';

/** The beginning of a command, in words. */
export const commandEntrySchema = z
  .string()
  .max(200)
  .regex(
    /^[^\s;&|<>()$`'"\\*?]+(?: [^\s;&|<>()$`'"\\*?]+)*$/,
    'write the first words of a command, such as "git push"',
  );
export const commandListSchema = z.array(commandEntrySchema).max(200);

/** `.devsquad/policy.json`: what a repository asks of whoever works in it. It can only make rules stricter. */
export const workspacePolicySchema = z.strictObject({
  /** Commands that ask a person each time, whatever is allowed ahead. */
  ask: commandListSchema.optional(),
  /** Commands that nobody runs here. */
  refuse: commandListSchema.optional(),
  refuseHosts: z.array(hostEntrySchema).max(500).optional(),
});
export type WorkspacePolicy = z.infer<typeof workspacePolicySchema>;

/** Throws a UsageError that names what is wrong. */
export function parseWorkspacePolicy(value: unknown): WorkspacePolicy {
  const parsed = workspacePolicySchema.safeParse(value);
  if (!parsed.success) {
    throw new UsageError(z.prettifyError(parsed.error));
  }
  return parsed.data;
}

/** All that a run goes by beyond what is built in. */
export interface RunPolicy {
  /** Beginnings of commands that need no question. */
  readonly commands: readonly string[];
  readonly hosts: readonly string[];
  readonly ask: readonly string[];
  readonly refuse: readonly string[];
  readonly refuseHosts: readonly string[];
}

export function policyOf({
  allowedCommands = [],
  allowedHosts = [],
  workspacePolicy: { ask = [], refuse = [], refuseHosts = [] } = {},
}: DeepReadonly<{
  allowedCommands?: string[] | undefined;
  allowedHosts?: string[] | undefined;
  workspacePolicy?: WorkspacePolicy | undefined;
}>): RunPolicy {
  return { commands: allowedCommands, hosts: allowedHosts, ask, refuse, refuseHosts };
}
