/** How large the ledger's files grow before something is done about it. In one place, and smaller in tests. */
export interface LedgerLimits {
  /** A segment of the journal that has reached this many bytes is followed by another. */
  readonly segmentBytes: number;
}

const MB = 1024 * 1024;

export const LIMITS: LedgerLimits = {
  segmentBytes: 8 * MB,
};
