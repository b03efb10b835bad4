/**
 * Keeps what is on disk of ended runs in step with the ledger: no worktrees, the folder in the trash while a discard can
 * be taken back, and no folder once the hour of undo is over. The ledger decides; a crash in between is made up for at
 * the next opening.
 */
import { LedgerClosedError, messageOf, StoppedError } from '../domain/errors.ts';
import { RUNTIME, type EventType } from '../domain/events.ts';
import { undoDeadline } from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import type { RunRepository } from '../workspace/repository.ts';
import type { RunFolders } from '../workspace/runFolders.ts';
import type { ResultTurns } from './resultTurns.ts';
import type { RunResult } from './runResult.ts';

/** Runs that stay in the views and in the living state, however long they have been over. */
const NEWEST_RUNS = 20;

/** Looked at this often at least, also when no deadline is known. */
const LONGEST_SLEEP_MS = 3_600_000;

/** Events that may bring a deadline nearer, or make a run one of the older ones. */
const DEADLINES: ReadonlySet<EventType> = new Set<EventType>([
  'apply-ended',
  'branch-created',
  'run-discarded',
  'run-started',
]);

export interface EndedRunsOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turns: ResultTurns;
  readonly folders: RunFolders;
  readonly result: RunResult;
  readonly repositoryOf: (runId: string) => RunRepository;
}

export class EndedRuns {
  private readonly o: EndedRunsOptions;
  private readonly closing = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  constructor(options: EndedRunsOptions) {
    this.o = options;
  }

  /** Makes up for what a crash left, and from now on ends each hour of undo in time. Never rejects. */
  async open(): Promise<void> {
    for (const run of this.all()) {
      await this.step(run.id, (current, signal) => this.makeUpFor(current, signal));
    }
    this.watching = this.watch(this.closing.signal);
  }

  /** Removes the worktrees and checkouts of a run, if it has ended. Never rejects. */
  tidy(runId: string): Promise<void> {
    return this.step(runId, () => this.o.repositoryOf(runId).removeTrees());
  }

  /** Ends the watch and, after a while, what is under way. */
  async close(): Promise<void> {
    this.closing.abort(new StoppedError('The host is closing.'));
    await this.o.turns.close();
    await this.watching;
  }

  private async makeUpFor(run: RunView, signal: AbortSignal): Promise<void> {
    const { folders, result, repositoryOf } = this.o;
    if (run.settled) {
      return this.deleteFolder(run);
    }
    if (run.outcome.kind === 'discarded') {
      return folders.moveToTrash(run.id);
    }
    await folders.moveBack(run.id);
    await repositoryOf(run.id).removeTrees();
    await result.finishInterrupted(run, signal);
  }

  private async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.o.ledger.isOpen) {
      const now = this.o.clock.now();
      for (const run of this.all().filter((ended) => (undoDeadline(ended) ?? Infinity) <= now)) {
        await this.step(run.id, (current) => this.settle(current));
      }
      for (const run of this.olderRuns()) {
        await this.step(run.id, (current) => this.archive(current));
      }
      await this.sleepUntilNext(signal);
    }
  }

  private async settle(run: RunView): Promise<void> {
    // It may have been taken back while others had their turn.
    if ((undoDeadline(run) ?? Infinity) > this.o.clock.now()) {
      return;
    }
    await this.o.ledger.append({ type: 'run-settled', runId: run.id, actor: RUNTIME }).durable;
    await this.deleteFolder(run);
  }

  /** Of a discarded run nothing stays but its row in the tables. */
  private async deleteFolder(run: RunView): Promise<void> {
    await this.o.folders.remove(run.id);
    if (run.outcome.kind === 'discarded') {
      const reason = 'Discarded, and the hour in which that could be taken back is over.';
      await this.o.ledger.append({ type: 'run-archived', runId: run.id, actor: RUNTIME, reason }).durable;
    }
  }

  /** A run whose result still waits for the person is not among them, however old it is. */
  private olderRuns(): RunView[] {
    const runs = Object.values(this.o.ledger.state.runs).slice(0, -NEWEST_RUNS);
    return runs.filter(
      ({ phase, settled, outcome, diff }) =>
        phase === 'ended' && (settled || (outcome.kind === 'kept' && (diff?.files.length ?? 0) === 0)),
    );
  }

  private async archive(run: RunView): Promise<void> {
    await this.o.folders.remove(run.id);
    const reason = `There are ${NEWEST_RUNS} newer runs.`;
    await this.o.ledger.append({ type: 'run-archived', runId: run.id, actor: RUNTIME, reason }).durable;
  }

  private async sleepUntilNext(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const listening = this.o.ledger.onDidAppend(({ type }) => {
      if (DEADLINES.has(type)) {
        woken.abort();
      }
    });
    const now = this.o.clock.now();
    // One that is past could not be ended just now; it is tried again at the next look.
    const waits = this.all()
      .flatMap((run) => (undoDeadline(run) ?? now) - now)
      .filter((wait) => wait > 0);
    const wait = Math.min(LONGEST_SLEEP_MS, ...waits);
    await this.o.clock.sleep(wait, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    listening.dispose();
  }

  private async step(runId: string, work: (run: RunView, signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await this.o.turns.take(async (signal) => {
        const run = this.o.ledger.state.runs[runId];
        if (run?.phase === 'ended') {
          this.o.ledger.assertOwner();
          await work(run, signal);
        }
      });
    } catch (error) {
      if (!(error instanceof StoppedError) && !(error instanceof LedgerClosedError)) {
        this.o.logger.warn(`What ${runId} left on disk could not be put in order: ${messageOf(error)}`);
      }
    }
  }

  private all(): RunView[] {
    return Object.values(this.o.ledger.state.runs).filter(({ phase }) => phase === 'ended');
  }
}
