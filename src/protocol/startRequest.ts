/** What another extension, a keybinding or a test may ask for with the command `devsquad.startRun`. */
import * as z from 'zod';
import { approvalScopeSchema } from '../domain/approval.ts';
import { budgetLimitsSchema } from '../domain/budget.ts';
import { UsageError } from '../domain/errors.ts';

/** `approve` can only tighten the setting. */
const startRequestSchema = z.strictObject({
  objective: z.string().trim().min(1).max(20_000),
  /** `rehearsal`, `editor:VENDOR/ID` or `openai:NAME`; the setting where nothing is said. */
  model: z.string().optional(),
  budget: budgetLimitsSchema.optional(),
  approve: z.array(approvalScopeSchema).optional(),
});
export type StartRequest = z.infer<typeof startRequestSchema>;

/** Throws a UsageError that names what does not fit. */
export function parseStartRequest(argument: unknown): StartRequest {
  const parsed = startRequestSchema.safeParse(argument);
  if (!parsed.success) {
    throw new UsageError(`devsquad.startRun was called wrongly. ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
