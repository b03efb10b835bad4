import * as z from 'zod';
import { permissionToRun } from './permissions.ts';
import { defineTool } from './tool.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 600_000;

export const runCommand = defineTool({
  name: 'run_command',
  description: `Runs a bash command in the task's own copy of the workspace and answers its output and exit code. What only looks (git status, ls, cat, grep, find …) runs at once; anything else a person has to allow. Ends after ${DEFAULT_TIMEOUT_MS / 1000} s unless timeoutMs says otherwise (at most ${MAX_TIMEOUT_MS / 1000} s). Mostly it is sandboxed: it changes nothing outside of that copy, and reaches the network only with "network", for which a person is asked. No input can be typed.`,
  input: z.strictObject({
    command: z.string().min(1).max(4000),
    cwd: z.string().optional().describe('Folder in the workspace; default its root'),
    network: z.boolean().optional().describe('Set it where the command cannot do without the network'),
    timeoutMs: z.number().int().min(100).max(MAX_TIMEOUT_MS).optional(),
  }),
  effect: 'process',
  afterCrash: 'report',
  permission: ({ command, cwd = '.', network = false }, context, guardrails) =>
    permissionToRun({ command, cwd, network }, context, guardrails),
  async run({ command, cwd = '.', network = false, timeoutMs = DEFAULT_TIMEOUT_MS }, { workspace, onOutput }, signal) {
    const result = await workspace.run({ command, cwd, network, timeoutMs, onOutput }, signal);
    const ended = result.timedOut
      ? `It was ended after ${timeoutMs / 1000} s.`
      : result.exitCode === null
        ? `It was ended by ${result.signal ?? 'a signal'}.`
        : `Exit code ${result.exitCode}.`;
    return { text: `${result.output.trimEnd() || '(no output)'}\n${ended}` };
  },
});
