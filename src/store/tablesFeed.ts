/**
 * Keeps the tables up with the ledger: first what they have not seen, then each event once it is durable. Events are handed
 * over as the ledger wrote them, in lots, a little later: waking the tables' thread costs the main thread more than an event
 * does. The tables are derived, so whatever goes wrong here is said and never stops a run: the next start catches up.
 */
import { untilAtRest } from '../base/atRest.ts';
import { EventGoneError, messageOf } from '../domain/errors.ts';
import type { Clock, Logger, WrittenEvent, WrittenLedger } from '../ports.ts';
import { EventLots } from './eventLots.ts';
import type { TablesStore } from './sqljs/tablesClient.ts';

/** So long nothing may have been written before events are handed over, */
const PAUSE_MS = 20;
/** and so long they wait at most. A query for one of them waits as long. */
const LONGEST_PAUSE_MS = 500;
/** Events read back in one turn, which takes the main thread some milliseconds. */
const CATCH_UP = 50;

export interface TablesFeedOptions {
  readonly ledger: WrittenLedger;
  readonly tables: TablesStore;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
}

export class TablesFeed {
  private readonly ledger: WrittenLedger;
  private readonly tables: TablesStore;
  private readonly clock: Pick<Clock, 'sleep'>;
  private readonly closing = new AbortController();
  private readonly pending = new EventLots();
  private working: Promise<void>;
  private waiting = false;

  constructor({ ledger, tables, clock, logger }: TablesFeedOptions) {
    this.ledger = ledger;
    this.tables = tables;
    this.clock = clock;
    const warn = (error: unknown): void => {
      logger.warn(`The tables are behind the ledger until the next start: ${messageOf(error)}`);
    };
    this.working = this.catchUp(tables.lastSequence, ledger.state.sequence).catch(warn);
    ledger.onDidWrite((event) => {
      this.pending.add(event);
      if (!this.waiting) {
        this.waiting = true;
        this.working = this.working.then(() => this.passOn()).catch(warn);
      }
    });
  }

  /** Saves and ends the tables with everything that is durable by now; when the signal is aborted first, as they are. */
  async close(signal: AbortSignal): Promise<void> {
    this.closing.abort();
    await this.working;
    await this.tables.close(signal);
  }

  private async catchUp(from: number, to: number): Promise<void> {
    for (let first = from + 1; first <= to; first += CATCH_UP) {
      const count = Math.min(CATCH_UP, to - first + 1);
      const sequences = Array.from({ length: count }, (_, index) => first + index);
      const events = await Promise.all(sequences.map((sequence) => this.readIfThere(sequence)));
      const lots = new EventLots();
      for (const event of events) {
        if (event) {
          lots.add(event);
        }
      }
      for (const lot of lots.take()) {
        this.tables.append(lot);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Runs whose archives are gone have no rows in tables that are made anew. */
  private async readIfThere(sequence: number): Promise<WrittenEvent | undefined> {
    try {
      const event = await this.ledger.read(sequence);
      return { sequence, type: event.type, json: Buffer.from(JSON.stringify(event)) };
    } catch (error) {
      if (error instanceof EventGoneError) {
        return undefined;
      }
      throw error;
    }
  }

  /** Hands over what is pending. While more comes in, the tables take their time, so that they cost others little. */
  private async passOn(): Promise<void> {
    await this.rest();
    this.waiting = false;
    const lots = this.pending.take();
    const last = lots.at(-1);
    await this.ledger.flushed(last?.lastSequence);
    for (const lot of lots) {
      const seen = this.ledger.state.sequence;
      this.tables.append(lot);
      if (lot !== last) {
        await this.unlessClosing(this.tables.caughtUp(lot.lastSequence, this.closing.signal));
        await this.pause(this.ledger.state.sequence === seen ? 0 : PAUSE_MS);
      }
    }
  }

  /** Until the ledger is at rest: the tables would take the processor from those who write, and nobody waits for them. */
  private rest(): Promise<void> {
    let pausedMs = 0;
    return untilAtRest({
      progress: () => this.ledger.state.sequence,
      pause: async () => {
        await this.pause(PAUSE_MS);
        pausedMs += PAUSE_MS;
      },
      isLongEnough: () => pausedMs >= LONGEST_PAUSE_MS || this.closing.signal.aborted,
    });
  }

  private pause(ms: number): Promise<void> {
    return this.unlessClosing(this.clock.sleep(ms, this.closing.signal));
  }

  /** Over at once when the squad closes. */
  private async unlessClosing(wait: Promise<void>): Promise<void> {
    try {
      await wait;
    } catch (error) {
      if (!this.closing.signal.aborted) {
        throw error;
      }
    }
  }
}
