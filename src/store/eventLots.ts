/**
 * Events on their way to the tables. Their bytes are copied when the ledger writes them, one behind the other, so that the
 * events themselves need not be kept: many small objects that live for a moment cost the main thread more than one large one.
 */
import type { WrittenEvent } from '../ports.ts';
import { hasRows } from './eventsWithoutRows.ts';

/** Events in one lot, which is some 10 ms of work for the tables, */
const MOST_EVENTS = 250;
/** and its bytes; an event that is longer is alone. */
const MOST_BYTES = 4 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
const [OPENING, COMMA, CLOSING] = [91, 44, 93];

/** The text of a JSON array, in UTF-8. Events without rows are left out and counted. */
export class EventLot {
  private bytes: Uint8Array<ArrayBuffer> = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private length = 0;
  private count = 0;
  private first = 0;
  private last = 0;

  get firstSequence(): number {
    return this.first;
  }

  get lastSequence(): number {
    return this.last;
  }

  /** False where it is full. Events come in the ledger's order. */
  add({ sequence, type, json }: WrittenEvent): boolean {
    if (this.count === MOST_EVENTS || (this.length > 0 && this.length + json.length > MOST_BYTES)) {
      return false;
    }
    this.first ||= sequence;
    this.last = sequence;
    this.count++;
    if (hasRows(type)) {
      this.write(json);
    }
    return true;
  }

  /** All of it, in memory of its own; nothing may be added any more. */
  take(): Uint8Array<ArrayBuffer> {
    if (this.length === 0) {
      this.bytes[this.length++] = OPENING;
    }
    this.bytes[this.length++] = CLOSING;
    return this.bytes.subarray(0, this.length);
  }

  private write(json: Uint8Array): void {
    // A comma before it, and room for the end.
    const needed = this.length + json.length + 2;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes[this.length] = this.length === 0 ? OPENING : COMMA;
    this.bytes.set(json, this.length + 1);
    this.length += json.length + 1;
  }
}

/** As many lots as it takes, in order. */
export class EventLots {
  private lots: EventLot[] = [];

  add(event: WrittenEvent): void {
    if (!this.lots.at(-1)?.add(event)) {
      const lot = new EventLot();
      lot.add(event);
      this.lots.push(lot);
    }
  }

  /** Those that there are, and begins anew. */
  take(): EventLot[] {
    const { lots } = this;
    this.lots = [];
    return lots;
  }
}
