/** How large the ledger's files grow before something is done about it. In one place, and smaller in tests. */
export interface LedgerLimits {
  /** A segment of the journal that has reached this many bytes is followed by another. */
  readonly segmentBytes: number;
  /** An image is due when so much stands in the journal behind the last one: records, */
  readonly imageRecords: number;
  /** or bytes, */
  readonly imageBytes: number;
  /** or segments, of which every owner begins one. */
  readonly imageSegments: number;
}

const MB = 1024 * 1024;

export const LIMITS: LedgerLimits = {
  segmentBytes: 8 * MB,
  imageRecords: 50_000,
  imageBytes: 8 * MB,
  imageSegments: 16,
};
