import * as z from 'zod';
import { testCommandOf } from '../workspace/verification/testCommand.ts';
import { permissionToRun } from './permissions.ts';
import { defineTool } from './tool.ts';

export const runTests = defineTool({
  name: 'run_tests',
  description:
    'Runs the workspace\'s own tests in the task\'s copy and answers what passed and what failed. "filter" is handed to the test runner.',
  input: z.strictObject({ filter: z.string().min(1).max(200).optional(), coverage: z.literal(false).optional() }),
  effect: 'process',
  afterCrash: 'repeat',
  permission: ({ filter }, context, guardrails) => {
    const found = testCommandOf(context.workspace.textOf('package.json'), filter);
    return found.kind === 'none'
      ? { kind: 'refuse', reason: found.reason }
      : permissionToRun({ command: found.command, cwd: '.', network: false }, context, guardrails);
  },
  async run({ filter }, { workspace }, signal) {
    const report = await workspace.runTests(filter === undefined ? {} : { filter }, signal);
    return { text: `${report.summary}\n${report.output ?? ''}`.trimEnd() };
  },
});
