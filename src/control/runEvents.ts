/** The newest events of the run that a view is about: read back from the ledger once, then kept up as events come. */
import { currentRun } from '../domain/squadState.ts';
import { EventGoneError } from '../domain/errors.ts';
import type { Disposable } from '../base/disposable.ts';
import type { SquadEvent } from '../domain/events.ts';
import { NEWEST } from '../protocol/viewState.ts';
import { eventWithoutBodies } from '../protocol/withoutBodies.ts';
import type { LedgerView } from './sharedSquad.ts';

export class RunEvents implements Disposable {
  private readonly ledger: LedgerView;
  private readonly listening: Disposable;
  private runId: string | undefined;
  private events: SquadEvent[] = [];

  constructor(ledger: LedgerView) {
    this.ledger = ledger;
    this.listening = ledger.onDidAppend((event) => {
      if (event.type === 'run-started' && this.runId !== undefined) {
        // The new run is the current one, and this its first event.
        this.runId = event.runId;
        this.events = [];
      }
      if (event.runId !== undefined && event.runId === this.runId) {
        this.events.push(eventWithoutBodies(event));
        this.events.splice(0, this.events.length - NEWEST);
      }
    });
  }

  /** Makes `newest` answer for the current run. Does nothing when it does so already. */
  async load(): Promise<void> {
    for (;;) {
      const runId = currentRun(this.ledger.state)?.id;
      if (runId === this.runId) {
        return;
      }
      // From here on the listener collects what comes; what was before is read from the ledger.
      this.runId = runId;
      this.events = [];
      const earlier = await this.readBack(runId, this.ledger.state.sequence);
      if (this.runId === runId) {
        const first = this.events[0]?.sequence ?? Infinity;
        this.events = [...earlier.filter(({ sequence }) => sequence < first), ...this.events].slice(-NEWEST);
      }
    }
  }

  /** Oldest first, without bodies, up to that sequence. */
  newest(upTo: number): SquadEvent[] {
    return this.events.filter(({ sequence }) => sequence <= upTo);
  }

  dispose(): void {
    this.listening.dispose();
  }

  private async readBack(runId: string | undefined, last: number): Promise<SquadEvent[]> {
    const found: SquadEvent[] = [];
    for (let sequence = last; runId !== undefined && sequence > 0 && found.length < NEWEST; sequence--) {
      const event = await this.ledger.read(sequence).catch(skipGone);
      if (event?.runId === runId) {
        found.unshift(eventWithoutBodies(event));
        if (event.type === 'run-started') {
          break;
        }
      }
    }
    return found;
  }
}

/** Other runs' events may be gone. */
function skipGone(error: unknown): undefined {
  if (!(error instanceof EventGoneError)) {
    throw error;
  }
}
