/**
 * The thread of the tables. It takes what came in slices of one transaction each, so that a query never waits for a long
 * backlog it does not need. An event that does not fit ends the thread; the tables are derived, nothing is lost.
 */
import { readFileSync } from 'node:fs';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import initSqlJs from 'sql.js';
import { assertNever } from '../../base/assertNever.ts';
import { beLessUrgent } from '../../base/politeThread.ts';
import { messageOf } from '../../domain/errors.ts';
import type { SquadEvent } from '../../domain/events.ts';
import { schemaHash } from '../schema.ts';
import { readImage, writeImage } from './imageFiles.ts';
import { TablesDatabase } from './tablesDatabase.ts';
import type { ThreadReply, ThreadRequest, ThreadStart } from './threadMessages.ts';

/** Events in one transaction: some 10 ms. */
const SLICE = 500;

type Waiting = Extract<ThreadRequest, { type: 'query' | 'save' }>;

class TablesThread {
  private readonly folder: string;
  private readonly database: TablesDatabase;
  private readonly reply: (reply: ThreadReply) => void;
  private readonly pending: SquadEvent[] = [];
  private waiting: Waiting[] = [];
  private working = false;
  /** The tables have every event up to here. */
  private sequence: number;
  private appendedSequence: number;
  private savedSequence: number;

  constructor(folder: string, database: TablesDatabase, sequence: number, reply: (reply: ThreadReply) => void) {
    this.folder = folder;
    this.database = database;
    this.reply = reply;
    this.sequence = sequence;
    this.appendedSequence = sequence;
    this.savedSequence = sequence;
  }

  handle(request: ThreadRequest): void {
    switch (request.type) {
      case 'append':
        for (const event of eventsIn(request.events)) {
          this.pending.push(event);
        }
        this.appendedSequence = request.sequence;
        this.workLater();
        return;
      case 'query':
      case 'save':
        if (request.atLeast <= this.sequence) {
          this.answer(request);
        } else {
          this.waiting.push(request);
        }
        return;
      case 'close':
        while (this.sequence !== this.appendedSequence) {
          this.applySlice();
        }
        this.answer({ type: 'save', id: request.id, atLeast: this.sequence });
        this.database.close();
        parentPort?.close();
        return;
      default:
        assertNever(request);
    }
  }

  /** One slice, and then whatever else has come in before the next. */
  private workLater(): void {
    if (!this.working) {
      this.working = true;
      setImmediate(() => {
        this.working = false;
        if (this.sequence !== this.appendedSequence) {
          this.applySlice();
          this.workLater();
        }
      });
    }
  }

  private applySlice(): void {
    const events = this.pending.splice(0, SLICE);
    this.database.apply(events);
    const last = events.at(-1);
    this.sequence = this.pending.length > 0 && last ? last.sequence : this.appendedSequence;
    this.reply({ type: 'applied', sequence: this.sequence });
    const ready = this.waiting.filter(({ atLeast }) => atLeast <= this.sequence);
    this.waiting = this.waiting.filter(({ atLeast }) => atLeast > this.sequence);
    for (const request of ready) {
      this.answer(request);
    }
  }

  private answer(request: Waiting): void {
    try {
      if (request.type === 'query') {
        this.reply({ type: 'answer', id: request.id, rows: this.database.query(request.query) });
      } else {
        this.save();
        this.reply({ type: 'answer', id: request.id, rows: [] });
      }
    } catch (error) {
      this.reply({ type: 'refused', id: request.id, message: messageOf(error) });
    }
  }

  private save(): void {
    if (this.sequence !== this.savedSequence) {
      writeImage(this.folder, this.database.image(), { lastSequence: this.sequence, schemaHash });
      this.savedSequence = this.sequence;
    }
  }
}

/** What this process wrote as events; those of other versions were read and checked before. */
function eventsIn(json: Uint8Array): readonly SquadEvent[] {
  return JSON.parse(new TextDecoder().decode(json)) as readonly SquadEvent[];
}

/** sql.js's WebAssembly lies beside the bundle, and in its package when the sources run. */
function readWasm(): ArrayBuffer {
  const address = import.meta.url.endsWith('.ts')
    ? new URL(import.meta.resolve('sql.js/dist/sql-wasm.wasm'))
    : new URL('./sql-wasm.wasm', import.meta.url);
  return new Uint8Array(readFileSync(address)).buffer;
}

async function start({ folder, ledgerSequence }: ThreadStart, port: MessagePort): Promise<void> {
  const sql = await initSqlJs({ wasmBinary: readWasm() });
  const { image, lastSequence, setAside } = readImage({ folder, schemaHash, ledgerSequence });
  const database = new TablesDatabase(sql, image);
  const reply = (message: ThreadReply): void => {
    port.postMessage(message);
  };
  const thread = new TablesThread(folder, database, lastSequence, reply);
  port.on('message', (request: ThreadRequest) => {
    thread.handle(request);
  });
  reply({ type: 'opened', lastSequence, setAside });
}

if (parentPort) {
  beLessUrgent();
  // The client, which starts this thread, gives it exactly that.
  await start(workerData as ThreadStart, parentPort);
}
