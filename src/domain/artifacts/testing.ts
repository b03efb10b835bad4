/** What testing tasks hand in. */
import * as z from 'zod';

/** Handed in with `finish_task` by `generate-tests`; the tests themselves are in the task's commit. */
export const testSuiteSchema = z.looseObject({
  covers: z.array(z.string()).optional().describe('Behaviours that the tests cover, a sentence each'),
});
export type TestSuite = z.infer<typeof testSuiteSchema>;
