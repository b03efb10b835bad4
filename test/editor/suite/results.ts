/** What the suite inside the extension host says about one of its tests; a list of these is its results file. */
export interface SuiteResult {
  /** The names of its groups from the outermost on, then its own. */
  readonly titles: readonly string[];
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly error?: string;
}
