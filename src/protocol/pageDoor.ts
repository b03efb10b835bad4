import { hostMessageSchema, type HostMessage } from './messages.ts';

/** Parses what came into a page; undefined for what is no message of ours, or was made by another version. Never throws. */
export function parseInPage(value: unknown): HostMessage | undefined {
  try {
    return hostMessageSchema.parse(value);
  } catch {
    return undefined;
  }
}
