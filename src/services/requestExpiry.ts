/**
 * Refuses what an agent wanted and nobody answered in the time that the run gives, so that the agent looks for another way.
 * The time counts while the squad is there to be answered: from the start of the host on, and not while the run stands still.
 */
import type { Disposable } from '../base/disposable.ts';
import { openRequests } from '../domain/requestState.ts';
import { inTime } from '../domain/requestWords.ts';
import type { RunView } from '../domain/squadState.ts';
import { RUNTIME } from '../domain/events.ts';
import type { Clock, Ledger } from '../ports.ts';

const MINUTE_MS = 60_000;

export class RequestExpiry implements Disposable {
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly over = new AbortController();
  private readonly listening: Disposable;

  /** Takes up what an earlier owner of the ledger left open. */
  constructor(ledger: Ledger, clock: Clock) {
    this.ledger = ledger;
    this.clock = clock;
    for (const run of Object.values(ledger.state.runs)) {
      for (const request of openRequests(run)) {
        void this.watch(run.id, request);
      }
    }
    this.listening = ledger.onDidAppend((event) => {
      if (event.type === 'request-opened') {
        void this.watch(event.runId ?? '', event.request);
      }
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.over.abort(new Error('The squad is closing.'));
  }

  /** Never rejects. Counts by the minute, so that the minutes of a run that stands still are left out. */
  private async watch(
    runId: string,
    { id, expiresAfter }: { readonly id: string; readonly expiresAfter?: number | undefined },
  ): Promise<void> {
    const { signal } = this.over;
    for (let left = expiresAfter; left !== undefined && left > 0;) {
      await this.clock.sleep(MINUTE_MS, signal).catch(() => undefined);
      const run = this.ledger.state.runs[runId];
      if (signal.aborted || !this.ledger.isOpen || !run || run.requests[id]?.answer !== undefined) {
        return;
      }
      left -= isUnderWay(run) ? 1 : 0;
    }
    const run = this.ledger.state.runs[runId];
    const request = run?.requests[id];
    if (expiresAfter !== undefined && request && !request.answer) {
      this.ledger.append({
        type: 'request-expired',
        runId,
        ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
        actor: RUNTIME,
        causedBy: request.sequence,
        requestId: id,
        reason: `Nobody answered within ${inTime(expiresAfter)}.`,
      });
    }
  }
}

function isUnderWay({ paused, stopped }: RunView): boolean {
  return !paused && !stopped;
}
