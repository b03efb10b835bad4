import * as z from 'zod';
import { reachOf } from './permissions.ts';
import { defineTool } from './tool.ts';

export const runTests = defineTool({
  name: 'run_tests',
  description:
    'Runs the workspace\'s own tests in the task\'s copy and answers what passed and what failed. "filter" is handed to the test runner.',
  input: z.strictObject({ filter: z.string().min(1).max(200).optional(), coverage: z.literal(false).optional() }),
  effect: 'process',
  afterCrash: 'repeat',
  permission: ({ filter }, { workspace }) => ({
    kind: 'ask',
    subject: {
      kind: 'command',
      command: filter === undefined ? "the workspace's tests" : `the workspace's tests matching "${filter}"`,
      cwd: '.',
      why: 'Tests run the project’s own scripts.',
      ...reachOf(workspace, false),
    },
  }),
  async run({ filter }, { workspace }, signal) {
    const report = await workspace.runTests(filter === undefined ? {} : { filter }, signal);
    return { text: `${report.summary}\n${report.output ?? ''}`.trimEnd() };
  },
});
