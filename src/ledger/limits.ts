/** How large the ledger's files grow before something is done about it. In one place, and smaller in tests. */
export interface LedgerLimits {
  /** A segment of the journal that has reached this many bytes is followed by another. */
  readonly segmentBytes: number;
  /** An event that takes more as JSON is a file of its own, and the journal has its name. */
  readonly blobBytes: number;
  /** An image is due when so much stands in the journal behind the last one: records, */
  readonly imageRecords: number;
  /** or bytes, */
  readonly imageBytes: number;
  /** or segments, of which every owner begins one. */
  readonly imageSegments: number;
  /** A squad that writes is let alone until nothing came for so long, or twice that much stands there. */
  readonly imageRestMs: number;
  /** Archives of runs that are kept at most, */
  readonly archivedRuns: number;
  /** and how large they may be together. */
  readonly archivedBytes: number;
}

const MB = 1024 * 1024;

export const LIMITS: LedgerLimits = {
  segmentBytes: 8 * MB,
  blobBytes: 64 * 1024,
  imageRecords: 25_000,
  imageBytes: 8 * MB,
  imageSegments: 16,
  imageRestMs: 100,
  archivedRuns: 200,
  archivedBytes: 1024 * MB,
};
