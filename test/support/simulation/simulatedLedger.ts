/** A ledger on a simulated disk: what is acknowledged survives a crash, of what is not, some beginning may. */
import { Emitter } from '../../../src/base/emitter.ts';
import { LedgerClosedError } from '../../../src/domain/errors.ts';
import { EVENT_TYPES, EVENT_VERSION, RUNTIME, type EventDraft, type SquadEvent } from '../../../src/domain/events.ts';
import { apply, emptyState, type SquadState } from '../../../src/domain/squadState.ts';
import type { Appended, Ledger } from '../../../src/ports.ts';
import type { SeededRandom } from '../seededRandom.ts';
import type { Life, SimulatedTime } from './simulatedTime.ts';

/** What outlives every crash. */
export class SimulatedJournal {
  readonly events: SquadEvent[] = [];
  /** Up to here somebody was told that it is safe. */
  acknowledged = 0;
  epoch = 0;
}

const LONGEST_WRITE_MS = 3;
const LONGEST_READ_MS = 0.5;

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
}

export class SimulatedLedger implements Ledger {
  readonly state: SquadState = emptyState();
  private readonly appended = new Emitter<SquadEvent>();
  readonly onDidAppend = this.appended.event;
  /** Called right after an event was applied, before anybody is told; a crash may happen here. */
  onBoundary: (event: SquadEvent) => void = () => undefined;
  private readonly memory: SquadEvent[];
  private readonly journal: SimulatedJournal;
  private readonly life: Life;
  private readonly time: SimulatedTime;
  private readonly epoch: number;
  private readonly unannounced: SquadEvent[] = [];
  private announcing = false;
  private writing = false;
  private waiters: Waiter[] = [];
  private closed = false;

  /** Reads what the disk has and begins the next epoch. */
  constructor(options: { journal: SimulatedJournal; life: Life; time: SimulatedTime }) {
    this.journal = options.journal;
    this.life = options.life;
    this.time = options.time;
    this.epoch = ++this.journal.epoch;
    this.memory = [...this.journal.events];
    for (const event of this.memory) {
      apply(this.state, event);
    }
    const lastSequence = this.memory.length;
    this.append({
      type: 'ledger-opened',
      actor: RUNTIME,
      fromEpoch: this.epoch - 1,
      lastSequence,
      lastCrc: 0,
      host: 'terminal',
    });
  }

  get isOpen(): boolean {
    return !this.closed && !this.life.over;
  }

  append(...drafts: EventDraft[]): Appended {
    const events: SquadEvent[] = [];
    for (const draft of drafts) {
      if (!this.isOpen) {
        throw new LedgerClosedError('The ledger is closed.');
      }
      const sequence = this.state.sequence + 1;
      // A draft and its stamp make an event of the same type. The text is what a disk would give back.
      const event = JSON.parse(
        JSON.stringify({
          version: EVENT_VERSION,
          sequence,
          epoch: this.epoch,
          at: new Date(this.time.now).toISOString(),
          input: EVENT_TYPES[draft.type].input,
          ...draft,
        }),
      ) as SquadEvent;
      apply(this.state, event);
      this.memory.push(event);
      events.push(event);
      this.onBoundary(event);
    }
    this.write();
    const durable = this.durableUpTo(this.state.sequence);
    this.announce(events);
    return { events, durable };
  }

  flushed(): Promise<void> {
    return this.durableUpTo(this.state.sequence);
  }

  async read(sequence: number): Promise<SquadEvent> {
    await this.durableUpTo(sequence);
    await this.time.pass(LONGEST_READ_MS, this.life);
    const event = this.memory[sequence - 1];
    if (!event) {
      throw new Error(`There is no event ${sequence}.`);
    }
    return structuredClone(event);
  }

  assertOwner(): void {
    if (!this.isOpen) {
      throw new LedgerClosedError('The ledger is closed.');
    }
  }

  close(): void {
    this.closed = true;
  }

  /** The process is gone at once; of what was not written yet, a beginning of random length may be on the disk. */
  crash(random: SeededRandom): void {
    this.life.over = true;
    const unwritten = this.memory.slice(this.journal.events.length);
    this.journal.events.push(...unwritten.slice(0, random.between(0, unwritten.length)));
  }

  private announce(events: readonly SquadEvent[]): void {
    this.unannounced.push(...events);
    if (this.announcing) {
      return;
    }
    this.announcing = true;
    for (let event = this.unannounced.shift(); event && !this.life.over; event = this.unannounced.shift()) {
      this.appended.fire(event);
    }
    this.announcing = false;
  }

  private write(): void {
    if (this.writing || this.life.over) {
      return;
    }
    this.writing = true;
    void this.time.pass(LONGEST_WRITE_MS, this.life).then(async () => {
      this.journal.events.push(...this.memory.slice(this.journal.events.length));
      const written = this.journal.events.length;
      await this.time.pass(LONGEST_WRITE_MS, this.life);
      this.writing = false;
      this.settle(written);
      if (this.memory.length > written) {
        this.write();
      }
    });
  }

  /** One waiter at a time, as the real ledger does: each goes on as far as it can before the next. */
  private settle(sequence: number): void {
    this.journal.acknowledged = sequence;
    const ready = this.waiters.filter((waiter) => waiter.sequence <= sequence);
    this.waiters = this.waiters.filter((waiter) => waiter.sequence > sequence);
    for (const { resolve } of ready) {
      this.time.schedule(0, this.life, resolve);
    }
  }

  private durableUpTo(sequence: number): Promise<void> {
    return sequence <= this.journal.acknowledged
      ? Promise.resolve()
      : new Promise((resolve) => this.waiters.push({ sequence, resolve }));
  }
}
