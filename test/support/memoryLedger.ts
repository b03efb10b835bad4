/** A ledger without a disk that can also be told recorded events, for what only looks on. */
import { Emitter } from '../../src/base/emitter.ts';
import { LedgerClosedError } from '../../src/domain/errors.ts';
import type { EventDraft, SquadEvent } from '../../src/domain/events.ts';
import { apply } from '../../src/domain/squadState.ts';
import type { Appended, WrittenEvent, WrittenLedger } from '../../src/ports.ts';
import { EventLog } from './builders.ts';

export class MemoryLedger implements WrittenLedger {
  private readonly log: EventLog;
  private readonly written = new Emitter<WrittenEvent>();
  private readonly appended = new Emitter<SquadEvent>();
  readonly onDidWrite = this.written.event;
  readonly onDidAppend = this.appended.event;
  isOpen = true;

  constructor(log = new EventLog()) {
    this.log = log;
  }

  get state(): EventLog['state'] {
    return this.log.state;
  }

  append(...drafts: EventDraft[]): Appended {
    if (!this.isOpen) {
      throw new LedgerClosedError('The ledger is closed.');
    }
    const events = this.log.add(...drafts);
    events.forEach((event) => {
      this.written.fire({ sequence: event.sequence, type: event.type, json: Buffer.from(JSON.stringify(event)) });
      this.appended.fire(event);
    });
    return { events, durable: Promise.resolve() };
  }

  assertOwner(): void {
    if (!this.isOpen) {
      throw new LedgerClosedError('The ledger is closed.');
    }
  }

  /** Takes an event over as it was recorded; its sequence must be the next one. */
  tell(event: SquadEvent): void {
    if (event.sequence !== this.state.sequence + 1) {
      throw new Error(`Event ${event.sequence} does not follow ${this.state.sequence}`);
    }
    apply(this.state, event);
    this.log.events.push(event);
    this.appended.fire(event);
  }

  flushed(): Promise<void> {
    return this.isOpen ? Promise.resolve() : Promise.reject(new LedgerClosedError('The ledger is closed.'));
  }

  read(sequence: number): Promise<SquadEvent> {
    return Promise.resolve(this.log.at(sequence));
  }
}
