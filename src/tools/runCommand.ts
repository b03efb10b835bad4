import * as z from 'zod';
import { permissionToRun } from './permissions.ts';
import { defineTool } from './tool.ts';

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_TIMEOUT_MS = 600_000;

export const runCommand = defineTool({
  name: 'run_command',
  description: `Runs a bash command in the task's own copy of the workspace and answers its output and exit code. What only looks (git status, ls, cat, grep, find …) runs at once; anything else a person has to allow. Ends after ${DEFAULT_TIMEOUT_MS / 1000} s unless timeoutMs says otherwise (at most ${MAX_TIMEOUT_MS / 1000} s). No input can be typed.`,
  input: z.strictObject({
    command: z.string().min(1).max(4000),
    cwd: z.string().optional().describe('Folder in the workspace; default its root'),
    timeoutMs: z.number().int().min(100).max(MAX_TIMEOUT_MS).optional(),
  }),
  effect: 'process',
  afterCrash: 'report',
  permission: ({ command, cwd = '.' }, context, guardrails) => permissionToRun(command, cwd, context, guardrails),
  async run({ command, cwd, timeoutMs = DEFAULT_TIMEOUT_MS }, { workspace, onOutput }, signal) {
    const result = await workspace.run({ command, timeoutMs, onOutput, ...(cwd === undefined ? {} : { cwd }) }, signal);
    const ended = result.timedOut
      ? `It was ended after ${timeoutMs / 1000} s.`
      : result.exitCode === null
        ? `It was ended by ${result.signal ?? 'a signal'}.`
        : `Exit code ${result.exitCode}.`;
    return { text: `${result.output.trimEnd() || '(no output)'}\n${ended}` };
  },
});
