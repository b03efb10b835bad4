/**
 * The one living state and the events that made it. `append` stamps events, applies them and hands their bytes to the
 * journal's thread in the same turn; whatever must not run ahead of the disk waits for `durable`. When a write fails the
 * ledger closes: nothing more is appended, acknowledged or done in its name.
 */
import path from 'node:path';
import { Emitter, type Event } from '../base/emitter.ts';
import { isoOf } from '../base/instants.ts';
import { EventGoneError, LedgerClosedError, messageOf, StorageError } from '../domain/errors.ts';
import { EVENT_TYPES, EVENT_VERSION, RUNTIME, type EventDraft, type SquadEvent } from '../domain/events.ts';
import { apply, emptyState, type SquadState, type SquadView } from '../domain/squadState.ts';
import type { Appended, Clock, WrittenEvent, WrittenLedger } from '../ports.ts';
import { Archives } from './archive.ts';
import { systemFiles, type Files } from './files.ts';
import { readHistory, type History } from './history.ts';
import { ImageMaker } from './imageMaker.ts';
import { JournalWriter } from './journalWriter.ts';
import { LIMITS, type LedgerLimits } from './limits.ts';
import { encodeEvent, EventReader, type Blob, type EncodedEvent } from './recordEvents.ts';
import { RecordIndex } from './recordIndex.ts';
import { listBlobs, setAside } from './storageFolder.ts';
import { workerThreads, type LedgerThreads } from './threads.ts';

export interface LedgerOptions {
  readonly storage: string;
  readonly epoch: number;
  /** Path of the link that the next owner would make. */
  readonly laterOwner: string;
  readonly host: 'terminal' | 'editor';
  readonly clock: Clock;
  /** What it stands on; the machine's own disk and threads where nothing is said. */
  readonly ground?: LedgerGround;
}

export interface LedgerGround {
  readonly files: Files;
  readonly threads: LedgerThreads;
  readonly limits: LedgerLimits;
}

const MACHINE: LedgerGround = { files: systemFiles, threads: workerThreads, limits: LIMITS };

interface Waiter extends PromiseWithResolvers<undefined> {
  readonly sequence: number;
}

export class SquadLedger implements WrittenLedger {
  /** Sentences for the person about what could not be read when the ledger was opened. */
  readonly damage: readonly string[];
  private readonly living: SquadState;
  private readonly index: RecordIndex;
  private readonly archives: Archives;
  private readonly blobBytes: number;
  private readonly epoch: number;
  private readonly laterOwner: string;
  private readonly files: Files;
  private readonly clock: Clock;
  private readonly written = new Emitter<WrittenEvent>();
  private readonly appended = new Emitter<SquadEvent>();
  private readonly closing = new Emitter<Error>();
  private readonly warning = new Emitter<string>();
  /** In order of their sequences. */
  private readonly waiters: Waiter[] = [];
  private durableSequence: number;
  /** Whose wait is over, and who has not heard it. */
  private beingTold = 0;
  private journal: JournalWriter | undefined;
  private readonly images: ImageMaker;
  private closedBy: Error | undefined;
  private isOvertaken = false;
  /** When it was last looked whether somebody else owns the squad. */
  private lookedAt = 0;
  private readonly unannounced: SquadEvent[] = [];
  private announcing = false;

  private constructor(history: History, options: LedgerOptions, ground: LedgerGround) {
    const { files, threads, limits } = ground;
    const { storage, epoch, laterOwner } = options;
    this.living = history.state;
    this.damage = setAside(files, storage, history.damage);
    makeDurable(files, storage, history);
    const reader = new EventReader(files, storage);
    this.index = new RecordIndex(files, storage, reader, history.reigns);
    this.archives = new Archives(files, storage, reader);
    this.blobBytes = limits.blobBytes;
    this.durableSequence = history.position.sequence;
    this.epoch = epoch;
    this.laterOwner = laterOwner;
    this.files = files;
    this.clock = options.clock;
    const oldBlobs = listBlobs(files, storage);
    this.journal = new JournalWriter({
      files,
      threads,
      storage,
      epoch,
      laterOwner,
      segmentBytes: limits.segmentBytes,
      onDurable: (sequence) => {
        this.settle(sequence);
      },
      onFailed: (error) => {
        this.fail(error);
      },
    });
    this.index.begin(this.journal.segment, epoch, this.living.sequence + 1);
    this.images = new ImageMaker({
      threads,
      start: { storage, epoch, laterOwner, limits, oldBlobs },
      limits,
      history,
      clock: options.clock,
      onWarning: (sentence) => {
        this.warning.fire(sentence);
      },
    });
  }

  /** Reads what is there, then begins this owner's own journal. Rejects with a StorageError when either cannot be done. */
  static async open(options: LedgerOptions): Promise<SquadLedger> {
    const { ground = MACHINE } = options;
    const history = await readHistory(ground.files, options.storage);
    const { epoch, sequence, crc } = history.position;
    if (epoch >= options.epoch) {
      throw new StorageError(
        `The storage folder was written by owner ${epoch}, which is later than this one (${options.epoch}). It belongs to another registration; choose another --storage.`,
      );
    }
    const ledger = new SquadLedger(history, options, ground);
    try {
      await ledger.append({
        type: 'ledger-opened',
        actor: RUNTIME,
        fromEpoch: epoch,
        lastSequence: sequence,
        lastCrc: crc,
        host: options.host,
      }).durable;
      return ledger;
    } catch (error) {
      await ledger.close();
      throw error;
    }
  }

  get state(): SquadView {
    return this.living;
  }

  get isOpen(): boolean {
    return this.journal !== undefined && this.closedBy === undefined;
  }

  get onDidAppend(): Event<SquadEvent> {
    return this.appended.event;
  }

  get onDidWrite(): Event<WrittenEvent> {
    return this.written.event;
  }

  /** Fires once, when a write failed or another owner took over. */
  get onDidFail(): Event<Error> {
    return this.closing.event;
  }

  /** Sentences for the person about what did not work and does not matter now. */
  get onDidWarn(): Event<string> {
    return this.warning.event;
  }

  append(...drafts: EventDraft[]): Appended {
    if (this.closedBy || !this.journal) {
      throw this.closedBy ?? new LedgerClosedError('The ledger is not open.');
    }
    const events = this.stampAll(drafts);
    const last = this.living.sequence;
    this.write(this.journal, events, last);
    const durable = this.durableUpTo(last);
    this.announce(events);
    return { events, durable };
  }

  assertOwner(): void {
    this.lookForLaterOwner();
    if (this.closedBy) {
      throw this.closedBy;
    }
  }

  flushed(upTo = this.living.sequence): Promise<void> {
    return this.durableUpTo(upTo);
  }

  async read(sequence: number): Promise<SquadEvent> {
    if (sequence > this.living.sequence) {
      throw new StorageError(`There is no event ${sequence} in this ledger.`);
    }
    if (sequence > this.durableSequence) {
      await this.flushed(sequence);
    }
    const overtaken = this.lookAgain();
    if (overtaken) {
      throw overtaken;
    }
    const event = this.index.read(sequence) ?? this.archives.read(sequence);
    if (!event) {
      throw new EventGoneError(`Event ${sequence} is not in this ledger any more.`);
    }
    return event;
  }

  /** Writes what is queued and gives the file up. Nothing can be appended afterwards. */
  async close(): Promise<void> {
    const { journal } = this;
    if (!journal) {
      return;
    }
    this.journal = undefined;
    const wasClosed = this.closedBy !== undefined;
    await this.images.close();
    await journal.close();
    if (!wasClosed) {
      this.refuse(new LedgerClosedError('The ledger is closed.'));
    }
  }

  private write(journal: JournalWriter, events: readonly SquadEvent[], last: number): void {
    const isNewSegment = journal.rotate();
    if (isNewSegment) {
      this.index.begin(journal.segment, this.epoch, events[0]?.sequence ?? last + 1);
    }
    const encoded: EncodedEvent[] = [];
    const blobs: Blob[] = [];
    for (const event of events) {
      const each = encodeEvent(event, this.blobBytes);
      encoded.push(each);
      if (each.blob) {
        blobs.push(each.blob);
      }
    }
    const [first] = encoded;
    const bytes = first && encoded.length === 1 ? first.record : Buffer.concat(encoded.map(({ record }) => record));
    let offset = journal.append(bytes, last, blobs);
    this.images.appended(events.length, bytes.length, isNewSegment);
    for (const each of encoded) {
      this.index.add(offset, each.record.length);
      offset += each.record.length;
      this.written.fire(each);
    }
  }

  /** An event that does not fit the state leaves memory ahead of the disk: the ledger closes rather than go on. */
  private stampAll(drafts: readonly EventDraft[]): SquadEvent[] {
    try {
      return drafts.map((draft) => this.stamp(draft));
    } catch (cause) {
      const error = new LedgerClosedError(`An event did not fit the state: ${messageOf(cause)}`, { cause });
      this.fail(error);
      throw error;
    }
  }

  /** Listeners see events in order, also when one of them appends more. */
  private announce(events: readonly SquadEvent[]): void {
    this.unannounced.push(...events);
    if (this.announcing) {
      return;
    }
    this.announcing = true;
    try {
      for (let event = this.unannounced.shift(); event; event = this.unannounced.shift()) {
        this.appended.fire(event);
      }
    } finally {
      this.announcing = false;
    }
  }

  private stamp(draft: EventDraft): SquadEvent {
    const stamped = {
      version: EVENT_VERSION,
      sequence: this.living.sequence + 1,
      epoch: this.epoch,
      at: isoOf(this.clock.now()),
      input: EVENT_TYPES[draft.type].input,
      ...draft,
    };
    // A draft and its stamp make an event of the same type; the spread of a union loses that to the compiler.
    const event = stamped as SquadEvent;
    apply(this.living, event);
    return event;
  }

  private durableUpTo(sequence: number): Promise<void> {
    const isDurable = sequence <= this.durableSequence;
    if (isDurable && this.beingTold === 0) {
      const overtaken = this.lookAgain();
      return overtaken ? Promise.reject(overtaken) : Promise.resolve();
    }
    if (this.closedBy && !isDurable) {
      return Promise.reject(this.closedBy);
    }
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const waiter: Waiter = { sequence, promise, resolve, reject };
    if (isDurable) {
      // Nobody goes on before those who have waited longer.
      this.tell(waiter);
    } else {
      this.queue(waiter);
    }
    return promise;
  }

  private queue(waiter: Waiter): void {
    const last = this.waiters.at(-1);
    if (last === undefined || last.sequence <= waiter.sequence) {
      this.waiters.push(waiter);
    } else {
      const before = this.waiters.findLastIndex(({ sequence }) => sequence <= waiter.sequence);
      this.waiters.splice(before + 1, 0, waiter);
    }
  }

  private lookForLaterOwner(): void {
    this.lookedAt = this.clock.now();
    if (!this.closedBy && this.files.exists(this.laterOwner)) {
      this.fail(new LedgerClosedError('Another DevSquad has taken over this squad. What was acknowledged is safe.'));
    }
  }

  private settle(sequence: number): void {
    // This process may have been stopped since the thread looked.
    this.lookForLaterOwner();
    if (this.closedBy) {
      return;
    }
    this.durableSequence = Math.max(this.durableSequence, sequence);
    this.images.durable(sequence);
    const still = this.waiters.findIndex((waiter) => waiter.sequence > this.durableSequence);
    for (const waiter of this.waiters.splice(0, still < 0 ? this.waiters.length : still)) {
      this.tell(waiter);
    }
    // After all that everybody whose wait has ended did at once, and together.
    setImmediate(() => this.journal?.flush());
  }

  /** One after the other: each goes on as far as it can before the next, which is an order that a replay can keep. */
  private tell(waiter: Waiter): void {
    this.beingTold++;
    setImmediate(this.acknowledge, waiter);
  }

  private readonly acknowledge = (waiter: Waiter): void => {
    this.beingTold--;
    const overtaken = this.lookAgain();
    if (overtaken) {
      refuse(waiter, overtaken);
    } else {
      waiter.resolve(undefined);
    }
  };

  /** This process may be stopped at any moment: when time has passed, somebody may own the squad meanwhile. */
  private lookAgain(): Error | undefined {
    if (this.clock.now() !== this.lookedAt) {
      this.lookForLaterOwner();
    }
    return this.isOvertaken ? this.closedBy : undefined;
  }

  private fail(error: Error): void {
    if (this.closedBy || !this.journal) {
      return;
    }
    // The thread may have seen it first.
    this.isOvertaken = this.files.exists(this.laterOwner);
    this.refuse(error);
    this.closing.fire(error);
  }

  private refuse(error: Error): void {
    this.closedBy = error;
    for (const waiter of this.waiters.splice(0)) {
      refuse(waiter, error);
    }
  }
}

/** Whoever does not wait for it must not end the process with it. */
function refuse({ promise, reject }: Waiter, error: Error): void {
  promise.catch(() => undefined);
  reject(error);
}

/**
 * What was read may be of an owner that was killed before it had synced it. It must not be lost any more once something
 * is built upon it. Throws a StorageError when the folder cannot be written.
 */
function makeDurable(files: Files, storage: string, { behindImage, damage }: History): void {
  const aside = new Set(damage.filter(({ inUse }) => !inUse).map(({ name }) => name));
  try {
    for (const name of behindImage.segments.filter((segment) => !aside.has(segment))) {
      files.syncFile(path.join(storage, name));
    }
    if (behindImage.segments.length > 0) {
      files.syncFolder(storage);
    }
  } catch (cause) {
    throw new StorageError(`The storage folder cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** The state that events lead to. */
export function stateOf({ events }: { readonly events: readonly SquadEvent[] }): SquadState {
  const state = emptyState();
  for (const event of events) {
    apply(state, event);
  }
  return state;
}
