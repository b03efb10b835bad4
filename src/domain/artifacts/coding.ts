/** What coding tasks take and what they hand in. */
import * as z from 'zod';

/** Input of `generate-code`. */
export const codeSpecSchema = z.object({
  description: z.string(),
  files: z.array(z.string()).describe('Globs of the files to write'),
});
export type CodeSpec = z.infer<typeof codeSpecSchema>;

/** Handed in with `finish_task`; the files themselves are in the task's commit. */
export const generatedCodeSchema = z.looseObject({
  notes: z.string().optional().describe('What a reader of the change should know'),
});
export type GeneratedCode = z.infer<typeof generatedCodeSchema>;

/** Handed in with `finish_task` by `review-code`. */
export const codeReviewSchema = z.strictObject({
  verdict: z.enum(['approve', 'request-changes']),
  findings: z
    .array(
      z.strictObject({
        path: z.string(),
        line: z.number().int().positive().optional(),
        severity: z.enum(['blocking', 'should-fix', 'note']),
        comment: z.string().min(1),
      }),
    )
    .max(200),
});
export type CodeReview = z.infer<typeof codeReviewSchema>;
