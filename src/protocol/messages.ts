/** What another process of the same user may ask a squad's owner. */
import * as z from 'zod';

export const processRequestSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('status') }),
  z.looseObject({ type: z.literal('stop') }),
]);
export type ProcessRequest = z.infer<typeof processRequestSchema>;
