/**
 * The main thread's side of the tables. They are derived from the ledger and may be behind it: whoever needs them up to a
 * certain event says so. When their thread ends unasked, everything here rejects with a StorageError; the squad can go on
 * without them.
 */
import { Worker } from 'node:worker_threads';
import type { CompiledQuery } from 'kysely';
import { assertNever } from '../../base/assertNever.ts';
import { Emitter, type Event } from '../../base/emitter.ts';
import { siblingModule } from '../../base/siblingModule.ts';
import { messageOf, StorageError } from '../../domain/errors.ts';
import type { Clock, Logger } from '../../ports.ts';
import type { EventLot } from '../eventLots.ts';
import { IdleSaver } from './idleSaver.ts';
import { PendingAnswers } from './pendingAnswers.ts';
import type { Row } from './tablesDatabase.ts';
import type { ThreadReply, ThreadRequest, ThreadStart } from './threadMessages.ts';

export interface TablesOptions {
  /** Holds `tables.sqlite` and `tables.json`; made when it is not there. */
  readonly folder: string;
  /** Of the ledger's last event. An image of later ones is put aside and the tables are built anew. */
  readonly ledgerSequence?: number;
  /** With a clock the tables are saved by themselves when nothing happens; without, only on `save` and `close`. */
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export class TablesStore {
  private readonly worker: Worker;
  private readonly answers = new PendingAnswers();
  private readonly died = new Emitter<StorageError>();
  private readonly idle = new AbortController();
  private readonly idleSaver: IdleSaver | undefined;
  private failure: StorageError | undefined;
  private damaged: readonly string[] = [];
  private appended = 0;
  private applied = 0;
  private saved = 0;

  /** Fires once, when the thread ended unasked. */
  readonly onDidFail: Event<StorageError> = this.died.event;

  /** Starts the thread and waits until it has read its files. Rejects with a StorageError when it cannot. */
  static async open(options: TablesOptions, signal: AbortSignal): Promise<TablesStore> {
    signal.throwIfAborted();
    const store = new TablesStore(options);
    try {
      // The thread says by itself that it has opened; the first answer is that.
      await store.answers.add(() => undefined, signal);
      return store;
    } catch (error) {
      store.failure ??= closed();
      await store.worker.terminate();
      throw error;
    }
  }

  private constructor({ folder, ledgerSequence, clock, logger }: TablesOptions) {
    const start: ThreadStart = { folder, ledgerSequence };
    this.worker = new Worker(siblingModule(import.meta.url, 'tablesThread'), { name: 'tables', workerData: start });
    this.worker.on('message', (reply: ThreadReply) => {
      this.receive(reply);
    });
    this.worker.on('error', (error) => {
      this.fail(messageOf(error), error);
    });
    this.worker.on('exit', () => {
      this.fail('it ended unasked');
    });
    this.idleSaver = clock && new IdleSaver(this, clock, logger, this.idle.signal);
  }

  /** Names of damaged files that were put aside when the tables were opened; the tables then begin empty. */
  get setAside(): readonly string[] {
    return this.damaged;
  }

  /** The tables have every event up to this one. After `open`, events are asked for from the next one on. */
  get lastSequence(): number {
    return this.applied;
  }

  /** Sequence of the last event given to `append`. */
  get appendedSequence(): number {
    return this.appended;
  }

  /** The image on disk has every event up to this one. */
  get savedSequence(): number {
    return this.saved;
  }

  /**
   * Hands events over, in the ledger's order, each once, and only when they are durable: the tables must never know what
   * the ledger forgets. Sequences rise; gaps are the caller's knowledge (deleted archives). Throws when the thread is gone.
   */
  append(lot: EventLot): void {
    if (this.failure) {
      throw this.failure;
    }
    const { firstSequence, lastSequence } = lot;
    if (firstSequence <= this.appended) {
      throw new RangeError(`The tables already have event ${this.appended}; event ${firstSequence} comes too late`);
    }
    this.appended = lastSequence;
    const events = lot.take();
    this.post({ type: 'append', events, sequence: lastSequence }, [events.buffer]);
    this.idleSaver?.wake();
  }

  /** Resolves once the tables have every event up to `sequence`, also one that is appended later. */
  async caughtUp(sequence: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.applied < sequence) {
      await this.ask((id) => ({ type: 'query', id, query: NOTHING, atLeast: sequence }), signal);
    }
  }

  /**
   * The rows of a query that `tables` built. It sees at least everything appended before; with `atLeast` it may see less and need
   * not wait (0: whatever is there). Rejects with an Error when SQL refuses the query.
   */
  async query<Result>(
    query: CompiledQuery<Result>,
    signal: AbortSignal,
    atLeast: number = this.appended,
  ): Promise<Result[]> {
    const { sql, parameters } = query;
    const rows = await this.ask((id) => ({ type: 'query', id, query: { sql, parameters }, atLeast }), signal);
    // Kysely inferred the type of a row from the query; the columns hold what schema.ts says.
    return rows as unknown as Result[];
  }

  /** Resolves once an image of everything appended so far is on disk. Rejects with a StorageError when it cannot be written. */
  async save(signal: AbortSignal): Promise<void> {
    const atLeast = this.appended;
    try {
      await this.ask((id) => ({ type: 'save', id, atLeast }), signal);
    } catch (error) {
      throw notSaved(error, signal);
    }
    this.saved = Math.max(this.saved, atLeast);
  }

  /** Applies what is left, saves, and ends the thread; when the signal is aborted first, ends it as it is. Safe to call twice. */
  async close(signal: AbortSignal): Promise<void> {
    this.idle.abort();
    if (this.failure) {
      return;
    }
    const closing = this.ask((id) => ({ type: 'close', id }), signal);
    this.failure = closed();
    try {
      await closing;
    } catch (error) {
      throw notSaved(error, signal);
    } finally {
      this.answers.rejectAll(this.failure);
      await this.worker.terminate();
    }
  }

  private ask(request: (id: number) => ThreadRequest, signal: AbortSignal): Promise<readonly Row[]> {
    if (this.failure) {
      return Promise.reject(this.failure);
    }
    return this.answers.add((id) => {
      this.post(request(id));
    }, signal);
  }

  private post(request: ThreadRequest, transferred: readonly ArrayBuffer[] = []): void {
    this.worker.postMessage(request, transferred);
  }

  private receive(reply: ThreadReply): void {
    switch (reply.type) {
      case 'opened':
        this.damaged = reply.setAside;
        this.appended = this.applied = this.saved = reply.lastSequence;
        this.answers.resolveAll();
        return;
      case 'applied':
        this.applied = reply.sequence;
        return;
      case 'answer':
        this.answers.resolve(reply.id, reply.rows);
        return;
      case 'refused':
        this.answers.reject(reply.id, new Error(reply.message));
        return;
      default:
        assertNever(reply);
    }
  }

  private fail(why: string, cause?: unknown): void {
    const failure = new StorageError(
      `The thread of the tables ended: ${why}. Runs are safe and go on; history and reports come back with the next start.`,
      { cause },
    );
    const unasked = !this.failure;
    this.failure ??= failure;
    this.idle.abort();
    this.answers.rejectAll(failure);
    if (unasked) {
      this.died.fire(failure);
    }
  }
}

/** Waits for the sequence and asks for nothing. */
const NOTHING = { sql: 'SELECT 1', parameters: [] };

const closed = (): StorageError => new StorageError('The tables are closed.');

function notSaved(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted || error instanceof StorageError
    ? error
    : new StorageError(`The tables could not be saved: ${messageOf(error)}. They will be built anew from the ledger.`, {
        cause: error,
      });
}
