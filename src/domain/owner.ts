/** The process that owns a workspace's squad, as it registers itself for other processes of the same user. */
import * as z from 'zod';

export const ownerRecordSchema = z.object({
  epoch: z.number().int().positive(),
  pid: z.number().int(),
  /** Tells this process from any later one with the same number; absent where the system cannot tell. */
  startMark: z.string().optional(),
  host: z.enum(['terminal', 'editor']),
  /** Where its socket listens. */
  address: z.string(),
  storage: z.string(),
  /** Shown by whoever asks more than to stop: proof of being able to read this user's files. */
  token: z.string(),
});
export type OwnerRecord = z.infer<typeof ownerRecordSchema>;

/** What any request to an owner has; the rest is parsed by whoever handles its type. */
export const ownerRequestSchema = z.looseObject({ type: z.string(), token: z.string().optional() });

/** In the middle of a sentence. */
export function describeOwner({ host, pid }: Pick<OwnerRecord, 'host' | 'pid'>): string {
  return `the ${host === 'editor' ? 'window' : 'terminal'} (process ${pid}) that does the work of this workspace`;
}

/** What a person allows who takes over from an owner that does not answer. */
export function describeTakeOver({ startMark }: Pick<OwnerRecord, 'startMark'>): string {
  const process =
    startMark === undefined
      ? 'That process can do nothing more to it then, but is not ended: this system cannot tell it from a later one.'
      : 'Taking over ends that process.';
  return `${process} The work goes on from everything it has acknowledged.`;
}
