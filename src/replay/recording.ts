/**
 * What a run left in the ledger, as a replay needs it: in order, and for each task by itself. An event is *met* once the
 * replay has produced it, or has been told it because the world did it.
 */
import type { EventOf, EventType, SquadEvent } from '../domain/events.ts';

/** Events that belong together and keep their own order: those of one task, or the run's own. */
export type Strand = string;

const OWN: Strand = 'run';

const ENDS: ReadonlySet<EventType> = new Set<EventType>([
  'repository-seeded',
  'model-call-ended',
  'tool-call-ended',
  'changes-held-back',
  'task-committed',
  'check-ended',
  'task-rebased',
  'task-merged',
  'task-proven',
]);

export class Recording {
  readonly runId: string;
  /** Up to and with the run's end. */
  readonly events: readonly SquadEvent[];
  private readonly met: boolean[];
  private readonly strands = new Map<Strand, { indexes: number[]; next: number }>();
  private first = 0;

  /** Throws when the events hold no such run. */
  constructor(events: readonly SquadEvent[], runId: string) {
    const start = events.findIndex((event) => event.type === 'run-started' && event.runId === runId);
    if (start < 0) {
      throw new Error(`There is no run ${runId} in these events.`);
    }
    const end = events.findIndex((event) => event.type === 'run-ended' && event.runId === runId);
    this.runId = runId;
    this.events = end < 0 ? events : events.slice(0, end + 1);
    this.met = this.events.map(() => false);
    for (const [index, event] of this.events.entries()) {
      const strand = this.strandOf(event);
      if (strand !== undefined) {
        const known = this.strands.get(strand) ?? { indexes: [], next: 0 };
        known.indexes.push(index);
        this.strands.set(strand, known);
      }
    }
  }

  /** Undefined for what is not of this run. */
  strandOf(event: Pick<SquadEvent, 'runId' | 'taskId'>): Strand | undefined {
    return event.runId === this.runId ? (event.taskId ?? OWN) : undefined;
  }

  /** The first event that is not met, with its place; undefined when all are. */
  next(): { index: number; event: SquadEvent } | undefined {
    while (this.met[this.first]) {
      this.first++;
    }
    const event = this.events[this.first];
    return event && { index: this.first, event };
  }

  /** What of the run is not met in this life of the squad. */
  left(): SquadEvent[] {
    const end = this.endOfLife();
    return this.events.filter((event, index) => index <= end && !this.met[index] && event.runId === this.runId);
  }

  meet(index: number): void {
    this.met[index] = true;
  }

  /**
   * The next event of a strand that is not met, in this life of the squad: what lies behind the next opening of the
   * ledger was done by another one.
   */
  nextOf(strand: Strand): { index: number; event: SquadEvent } | undefined {
    const known = this.strands.get(strand);
    if (!known) {
      return undefined;
    }
    let index = known.indexes[known.next];
    while (index !== undefined && this.met[index]) {
      index = known.indexes[++known.next];
    }
    const event = index === undefined ? undefined : this.events[index];
    return index === undefined || !event || index > this.endOfLife() ? undefined : { index, event };
  }

  /** Whether what a strand has under way now came to its end then, also where it was told to stop meanwhile. */
  cameToAnEnd(strand: Strand): boolean {
    const { indexes = [], next = 0 } = this.strands.get(strand) ?? {};
    const endOfLife = this.endOfLife();
    const index = indexes
      .slice(next)
      .find((each) => !this.met[each] && !mayComeMeanwhile(this.events[each]) && each <= endOfLife);
    const event = index === undefined ? undefined : this.events[index];
    return event !== undefined && ENDS.has(event.type);
  }

  /** Strands of which nothing but the world or a person brought the next event: a call's end, or an answer. */
  strandsAtRest(): Strand[] {
    return [...this.strands.keys()].filter(
      (strand) => this.waitsForPerson(strand) || (this.isInWorldsHands(strand) && this.cameToAnEnd(strand)),
    );
  }

  allStrands(): Strand[] {
    return [...this.strands.keys()];
  }

  /** Whether the strand's next event comes before the run goes on from the pause that begins now, and a pause could have held it up. */
  goesOnInPause(strand: Strand): boolean {
    const resumed = this.events.findIndex(({ type }, index) => type === 'run-resumed' && !this.met[index]);
    const next = this.nextOf(strand);
    const isItsOwn = next?.event.actor.kind !== 'person' && next?.event.type !== 'task-created';
    return next !== undefined && isItsOwn && (resumed < 0 || next.index < resumed) && !this.isInCall(strand);
  }

  /** Strands that were answered in the middle of a call, which came to its end then: a stop meanwhile did not cut it off. */
  answeredInCall(): Strand[] {
    return [...this.strands.keys()].filter(
      (strand) => isAnswer(this.lastInLife(strand)) && this.isInCall(strand) && this.cameToAnEnd(strand),
    );
  }

  /** In the middle of a tool's call, where no pause holds anybody up. */
  private isInCall(strand: Strand): boolean {
    return this.openCall(strand)?.isOfThisLife === true;
  }

  /** A call that has begun and not ended: its agent can do nothing but wait for it, or look what a crash left of it. */
  private isInWorldsHands(strand: Strand): boolean {
    const call = this.openCall(strand);
    return this.hasBegunCall(strand) || (call?.isOfThisLife === false && call.effect !== 'team');
  }

  /** The tool's call that the strand is in, as far as what is met tells. */
  private openCall(strand: Strand): { effect: string; isOfThisLife: boolean } | undefined {
    const { indexes = [] } = this.strands.get(strand) ?? {};
    const beginOfLife = this.openings.findLast((index) => this.met[index]) ?? 0;
    const last = indexes.findLast((index) => {
      const type = this.events[index]?.type;
      return this.met[index] && (type === 'tool-call-started' || type === 'tool-call-ended');
    });
    const event = last === undefined ? undefined : this.events[last];
    return last !== undefined && event?.type === 'tool-call-started'
      ? { effect: event.effect, isOfThisLife: last > beginOfLife }
      : undefined;
  }

  /**
   * Whether a strand's next event is an answer that it waits for: a person may also answer what was asked in an earlier
   * life before its agent is there again. Who asks by a tool begins that call anew first; who must be allowed one does not.
   */
  private waitsForPerson(strand: Strand): boolean {
    const answered = this.nextAs(strand, 'request-answered') ?? this.nextAs(strand, 'request-expired');
    const request = answered && this.requestOf(answered.requestId);
    const isAskedByTool = request?.subject.kind === 'question' || request?.subject.kind === 'plan';
    return answered !== undefined && (!isAskedByTool || this.lastInLife(strand) !== undefined);
  }

  /** A request of any life, whether it is met or not. */
  requestOf(requestId: string): EventOf<'request-opened'>['request'] | undefined {
    return this.events.find(
      (event): event is EventOf<'request-opened'> => event.type === 'request-opened' && event.request.id === requestId,
    )?.request;
  }

  /** The strand's newest event that is met and of this life. */
  private lastInLife(strand: Strand): SquadEvent | undefined {
    const { indexes = [] } = this.strands.get(strand) ?? {};
    const beginOfLife = this.openings.findLast((index) => this.met[index]) ?? 0;
    const last = indexes.findLast((index) => this.met[index] && index > beginOfLife);
    return last === undefined ? undefined : this.events[last];
  }

  /** In this life. The team's tools are the squad itself, and not the world. */
  private hasBegunCall(strand: Strand): boolean {
    const event = this.lastInLife(strand);
    return event?.type === 'tool-call-started' ? event.effect !== 'team' : event?.type === 'model-call-started';
  }

  /** As `nextOf`, when it is of that type. */
  nextAs<Type extends EventType>(strand: Strand, type: Type): EventOf<Type> | undefined {
    const event = this.nextOf(strand)?.event;
    // Equal types: the union does not narrow by a generic one.
    return event?.type === type ? (event as EventOf<Type>) : undefined;
  }

  /** The first event of a strand, from the next one on, that the test accepts, whichever life it is of. */
  ahead<Found extends SquadEvent>(strand: Strand, test: (event: SquadEvent) => event is Found): Found | undefined {
    const { indexes = [], next = 0 } = this.strands.get(strand) ?? {};
    for (const index of indexes.slice(next)) {
      const event = this.events[index];
      if (event && !this.met[index] && test(event)) {
        return event;
      }
    }
    return undefined;
  }

  private endOfLife(): number {
    const opening = this.openings.find((index) => index > this.first);
    return opening ?? this.events.length;
  }

  private get openings(): readonly number[] {
    this.knownOpenings ??= this.events.flatMap(({ type }, index) => (type === 'ledger-opened' ? [index] : []));
    return this.knownOpenings;
  }

  private knownOpenings: number[] | undefined;
}

/** Of a person, or in their place when they gave none. */
function isAnswer(event: SquadEvent | undefined): boolean {
  return event?.type === 'request-answered' || event?.type === 'request-expired';
}

/** What the run writes down of a task while somebody may still be at work on it. */
export function mayComeMeanwhile(event: SquadEvent | undefined): boolean {
  switch (event?.type) {
    case 'run-stopped':
    case 'task-cancelled':
    case 'request-withdrawn':
    case 'message-acknowledged':
    case 'model-call-parked':
      return true;
    case 'message-sent':
      return event.message.content.kind === 'task-response' && event.message.content.taskId === event.taskId;
    default:
      return false;
  }
}

export { OWN as RUN_STRAND };
