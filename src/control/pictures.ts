/** Which part of a squad a view is about: how it begins, and which events move it. */
import { currentRun } from '../domain/squadState.ts';
import type { Disposable } from '../base/disposable.ts';
import type { SquadEvent } from '../domain/events.ts';
import { toGoOf, type ToGo } from '../domain/forecast.ts';
import { reachOf, sliceOf, type ViewState } from '../protocol/viewState.ts';
import { eventForWindow, windowStateOf } from '../protocol/windowState.ts';
import { eventWithoutBodies } from '../protocol/withoutBodies.ts';
import { RunEvents } from './runEvents.ts';
import type { LedgerView } from './sharedSquad.ts';

export interface Picture extends Disposable {
  /** Fetches what `slice` needs. */
  prepare(): Promise<void>;
  /** All the view holds, of this moment. */
  slice(): ViewState;
  /** What is left to spend, of this moment, where the view shows one run. */
  toGo(): ToGo | undefined;
  /** The event as the view gets it; or that it moves nothing there, or more than an event can tell. */
  take(event: SquadEvent): SquadEvent | 'ignore' | 'slice';
}

/** The run that was started last, with its newest events and without bodies: what a page shows. */
export class RunPicture implements Picture {
  private readonly ledger: LedgerView;
  private readonly runEvents: RunEvents;
  private runId: string | undefined;

  constructor(ledger: LedgerView) {
    this.ledger = ledger;
    this.runEvents = new RunEvents(ledger);
  }

  prepare(): Promise<void> {
    return this.runEvents.load();
  }

  slice(): ViewState {
    const { state } = this.ledger;
    this.runId = currentRun(state)?.id;
    return sliceOf(state, this.runEvents.newest(state.sequence));
  }

  toGo(): ToGo | undefined {
    const { state } = this.ledger;
    const run = state.runs[this.runId ?? ''];
    return run && toGoOf(state, run);
  }

  take(event: SquadEvent): SquadEvent | 'ignore' | 'slice' {
    const reach = reachOf(this.runId, event);
    return reach === 'apply' ? eventWithoutBodies(event) : reach;
  }

  dispose(): void {
    this.runEvents.dispose();
  }
}

/** All runs: what a window or a terminal holds. With `everyEvent` it gets whole events. */
export class SquadPicture implements Picture {
  private readonly ledger: LedgerView;
  private readonly everyEvent: boolean;

  constructor(ledger: LedgerView, everyEvent: boolean) {
    this.ledger = ledger;
    this.everyEvent = everyEvent;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  slice(): ViewState {
    return { state: windowStateOf(this.ledger.state), events: [] };
  }

  toGo(): undefined {
    // Whoever holds all runs can tell by itself.
    return undefined;
  }

  take(event: SquadEvent): SquadEvent {
    return this.everyEvent ? event : eventForWindow(event);
  }

  dispose(): void {
    // Holds nothing.
  }
}
