/**
 * Keeps the tables up with the ledger: first what they have not seen, then each event once it is durable. The tables are
 * derived, so whatever goes wrong here is said and never stops a run: the next start catches up.
 */
import { messageOf } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { Ledger, Logger } from '../ports.ts';
import type { TablesStore } from './sqljs/tablesClient.ts';

const BATCH = 500;

export class TablesFeed {
  private readonly ledger: Ledger;
  private readonly tables: TablesStore;
  private pending: SquadEvent[] = [];
  private working: Promise<void>;
  private waiting = false;

  constructor(ledger: Ledger, tables: TablesStore, logger: Logger) {
    this.ledger = ledger;
    this.tables = tables;
    const warn = (error: unknown): void => {
      logger.warn(`The tables are behind the ledger until the next start: ${messageOf(error)}`);
    };
    this.working = this.catchUp(tables.lastSequence, ledger.state.sequence).catch(warn);
    ledger.onDidAppend((event) => {
      this.pending.push(event);
      if (!this.waiting) {
        this.waiting = true;
        this.working = this.working.then(() => this.passOn()).catch(warn);
      }
    });
  }

  /** Saves and ends the tables with everything that is durable by now; when the signal is aborted first, as they are. */
  async close(signal: AbortSignal): Promise<void> {
    await this.working;
    await this.tables.close(signal);
  }

  private async catchUp(from: number, to: number): Promise<void> {
    for (let first = from + 1; first <= to; first += BATCH) {
      const count = Math.min(BATCH, to - first + 1);
      const sequences = Array.from({ length: count }, (_, index) => first + index);
      this.tables.append(await Promise.all(sequences.map((sequence) => this.ledger.read(sequence))));
    }
  }

  private async passOn(): Promise<void> {
    this.waiting = false;
    const events = this.pending;
    this.pending = [];
    await this.ledger.flushed();
    this.tables.append(events);
  }
}
