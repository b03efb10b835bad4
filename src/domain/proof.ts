/** Acceptance checks and what came of them: the only thing "done" is derived from. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';

const pathSchema = z.string().min(1).max(400);

export const acceptanceCheckSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('command'),
      command: z.string().min(1).max(2000),
      expectExit: z.number().int().min(0).max(255).optional(),
    })
    .describe('A shell command, run in a fresh checkout of the exact tree'),
  z
    .strictObject({ kind: z.literal('tests'), filter: z.string().min(1).max(200).optional() })
    .describe("The workspace's own test command; passes only if tests ran and none failed"),
  z
    .strictObject({
      kind: z.literal('files'),
      exist: z.array(pathSchema).max(100).optional(),
      absent: z.array(pathSchema).max(100).optional(),
      unchanged: z.array(pathSchema).max(100).optional().describe('Globs that the task must not have changed'),
    })
    .describe('Files that must exist, must not exist, or must be as they were'),
]);
export type AcceptanceCheck = z.infer<typeof acceptanceCheckSchema>;

/** Where a check ran: on the task's own tree, or on the integration branch after its merge. */
export const checkStageSchema = z.enum(['task', 'integration']);
export type CheckStage = z.infer<typeof checkStageSchema>;

export const checkResultSchema = z.object({
  index: z.number().int().min(0),
  stage: checkStageSchema,
  passed: z.boolean(),
  /** One line for people: what ran and how it ended. */
  summary: z.string(),
  /** The last lines of the output, for the author who has to mend it. */
  output: z.string(),
  /** Git tree the check ran on. */
  tree: z.string(),
  durationMs: z.number().min(0),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** A check in words, as plans, proofs and approvals show it. */
export function describeCheck(check: DeepReadonly<AcceptanceCheck>): string {
  switch (check.kind) {
    case 'command':
      return check.expectExit ? `${check.command} (exit ${check.expectExit})` : check.command;
    case 'tests':
      return check.filter ? `tests matching "${check.filter}"` : 'all tests';
    case 'files':
      return [
        check.exist && `exists: ${check.exist.join(', ')}`,
        check.absent && `absent: ${check.absent.join(', ')}`,
        check.unchanged && `unchanged: ${check.unchanged.join(', ')}`,
      ]
        .filter(Boolean)
        .join(' · ');
  }
}
