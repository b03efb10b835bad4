/**
 * The ledger of a replayed squad, in memory. What the squad appends is held against the record: the time and the facts
 * of the world come from there, what the squad decided is kept as it decided it now.
 */
import { Emitter } from '../base/emitter.ts';
import { LedgerClosedError } from '../domain/errors.ts';
import { EVENT_TYPES, EVENT_VERSION, type EventDraft, type SquadEvent } from '../domain/events.ts';
import { apply, emptyState, type SquadState } from '../domain/squadState.ts';
import type { Appended, Ledger } from '../ports.ts';
import type { Recording } from './recording.ts';
import type { WaitingRoom } from './waitingRoom.ts';

/** Where a replay and its record part. */
export interface Difference {
  /** Sequence of the recorded event that another one came instead of. */
  readonly sequence: number;
  readonly recorded: string;
  readonly replayed: string;
}

/** What the squad's own sensors and timers say. Only the record says it in a replay. */
const OBSERVED: ReadonlySet<SquadEvent['type']> = new Set([
  'work-clocked',
  'agent-silent',
  'model-call-parked',
  'request-expired',
]);

export const isObserved = ({ type }: Pick<SquadEvent, 'type'>): boolean => OBSERVED.has(type);

export class ReplayLedger implements Ledger {
  readonly state: SquadState;
  isOpen = true;
  difference: Difference | undefined;
  private readonly appended = new Emitter<SquadEvent>();
  readonly onDidAppend = this.appended.event;
  private readonly log: SquadEvent[] = [];
  private readonly recording: Recording;
  private readonly room: WaitingRoom;
  private readonly onDecision: (event: SquadEvent, twin: SquadEvent) => void;
  private readonly unannounced: SquadEvent[] = [];
  private announcing = false;
  private at: string;

  /** Begins with what the record says up to `upTo`, a number of events. */
  constructor(options: {
    recording: Recording;
    upTo: number;
    room: WaitingRoom;
    /** A consequence with the recorded one that it is held against. */
    onDecision: (event: SquadEvent, twin: SquadEvent) => void;
  }) {
    this.recording = options.recording;
    this.room = options.room;
    this.onDecision = options.onDecision;
    this.state = emptyState();
    for (const event of this.recording.events.slice(0, options.upTo)) {
      apply(this.state, event);
      this.log.push(event);
    }
    this.at = this.log.at(-1)?.at ?? '';
  }

  append(...drafts: EventDraft[]): Appended {
    const events = drafts.flatMap((draft) => {
      if (!this.isOpen) {
        throw new LedgerClosedError('This life of the squad is over.');
      }
      // What is of no run, or of another, is told by the record alone.
      const isTold = isObserved(draft) || this.recording.strandOf(draft) === undefined;
      return isTold ? [] : [this.take(draft)];
    });
    this.announce(events);
    const last = events.at(-1);
    const durable = last ? this.room.wait('disk', this.recording.strandOf(last)) : Promise.resolve();
    return { events, durable };
  }

  /** What the world did, as it was recorded. */
  tell(event: SquadEvent): void {
    this.at = event.at;
    const told = { ...event, sequence: this.state.sequence + 1 };
    apply(this.state, told);
    this.log.push(told);
    this.announce([told]);
  }

  assertOwner(): void {
    if (!this.isOpen) {
      throw new LedgerClosedError('This life of the squad is over.');
    }
  }

  flushed(): Promise<void> {
    return this.room.wait('disk');
  }

  async read(sequence: number): Promise<SquadEvent> {
    const event = this.log[sequence - 1];
    if (!event) {
      throw new Error(`There is no event ${sequence} in this replay.`);
    }
    await this.room.wait('disk', this.recording.strandOf(event));
    return event;
  }

  /** The event that a draft becomes: with the time, and for the world's part with the facts, of its recorded twin. */
  private take(draft: EventDraft): SquadEvent {
    const strand = this.recording.strandOf(draft);
    const recorded = strand === undefined ? undefined : this.recording.nextOf(strand);
    const isTwin = recorded?.event.type === draft.type;
    if (recorded && !isTwin) {
      this.difference ??= {
        sequence: recorded.event.sequence,
        recorded: recorded.event.type,
        replayed: draft.type,
      };
    }
    const { input } = EVENT_TYPES[draft.type];
    this.at = isTwin ? recorded.event.at : this.at;
    const stamps = { version: EVENT_VERSION, sequence: this.state.sequence + 1, epoch: this.state.epoch, at: this.at };
    const facts = isTwin && input ? recorded.event : { ...draft, input };
    // A draft and its stamps, or a recorded event with new ones, make an event of the same type.
    const event = { ...facts, ...stamps } as SquadEvent;
    apply(this.state, event);
    this.log.push(event);
    if (isTwin) {
      this.recording.meet(recorded.index);
      if (!input) {
        this.onDecision(event, recorded.event);
      }
    }
    return event;
  }

  private announce(events: readonly SquadEvent[]): void {
    this.unannounced.push(...events);
    if (this.announcing) {
      return;
    }
    this.announcing = true;
    for (let event = this.unannounced.shift(); event; event = this.unannounced.shift()) {
      this.appended.fire(event);
    }
    this.announcing = false;
  }
}
