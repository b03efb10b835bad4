/** What becomes of runs that end, as the rest of the squad sees it. */
import type { DiffSummary } from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import type { PersonDoor } from './runResult.ts';

export interface RunResults {
  /** Makes up for what a crash left of runs that have ended. Called once, before anything else. Never rejects. */
  open(): Promise<void>;
  /** Undefined for a run that ended before it had a repository. */
  diff(run: RunView, signal: AbortSignal): Promise<DiffSummary | undefined>;
  /** Does what the run's options say. Answers why it could not, or undefined when it is done; the result is kept then too. */
  handOver(run: RunView): Promise<string | undefined>;
  /** Removes the worktrees and checkouts of a run, if it has ended. Never rejects. */
  tidy(runId: string): Promise<void>;
  /** Puts the result of an ended run into the working tree. This and the next four reject with a HumanError. */
  apply(runId: string, door: PersonDoor): Promise<void>;
  /** Makes a branch of the result of an ended run. */
  branch(runId: string, name: string, door: PersonDoor): Promise<void>;
  /** Puts an ended run aside; an hour later nothing of it is left. */
  discard(runId: string, door: PersonDoor): Promise<void>;
  /** Takes the last of the three above back, within an hour. */
  undo(runId: string, door: PersonDoor): Promise<void>;
  /** A file before or after the run, from the workspace root; undefined where that side has none. */
  fileAt(runId: string, side: 'before' | 'after', path: string): Promise<Uint8Array | undefined>;
  /** Lets what is under way end, for a while, and begins nothing more. Never rejects. */
  close(): Promise<void>;
}
