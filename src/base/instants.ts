/**
 * Instants as numbers (ms since 1970, UTC) and as ISO texts. Many events of a busy squad fall into the same millisecond, so
 * the last text that was made is remembered.
 */
let lastMs = 0;
let lastIso = new Date(lastMs).toISOString();

/** Throws a RangeError for what is no instant. */
export function isoOf(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
}

/** NaN for what is no instant. */
export function msOf(iso: string): number {
  return iso === lastIso ? lastMs : Date.parse(iso);
}
