/**
 * The way to the journal's thread and back. Appends go through memory that both threads share; what has blobs, is too long or
 * finds no room goes as a message that says behind which byte of that memory its turn is. What is durable comes back through
 * a cell of such memory. Waking a thread may cost as much as a quarter of a commit, so whoever waits for the other looks for
 * a moment before it sleeps: the one that sleeps is woken, by a futex or by a message.
 */
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { JournalReply, JournalRequest, JournalStart } from './groupCommit.ts';
import { earlier, RingConsumer, ringMemory, RingProducer } from './ringBuffer.ts';

/** Room for requests that the thread has not taken yet, */
const REQUEST_BYTES = 1024 * 1024;
/** and how much of it those may take that go together. */
const FRAME_BYTES = REQUEST_BYTES / 8;
/** The sender looks that long for an answer, between all else that it does, where the last one came that soon, */
const POLL_MS = 2;
/** and the thread that long at most for the next request. */
const SPIN_MS = 0.5;

interface LaneMemory {
  readonly requests: SharedArrayBuffer;
  readonly durable: SharedArrayBuffer;
}

/** What the thread is started with. */
export interface JournalThreadData {
  readonly start: JournalStart;
  readonly memory: LaneMemory;
}

export function laneMemory(requestBytes = REQUEST_BYTES): LaneMemory {
  return { requests: ringMemory(requestBytes), durable: new SharedArrayBuffer(16) };
}

/** What goes as a message. */
export interface Aside {
  /** The head of the ring when it was posted. */
  readonly at: number;
  readonly requests: readonly JournalRequest[];
}

/** The last durable sequence, and whether the sender looks for it by itself. */
class DurableCell {
  private readonly last: BigInt64Array<SharedArrayBuffer>;
  private readonly polled: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer) {
    this.last = new BigInt64Array(memory, 0, 1);
    this.polled = new Int32Array(memory, 8, 1);
  }

  get sequence(): number {
    return Number(Atomics.load(this.last, 0));
  }

  set sequence(sequence: number) {
    Atomics.store(this.last, 0, BigInt(sequence));
  }

  get isPolled(): boolean {
    return Atomics.load(this.polled, 0) === 1;
  }

  set isPolled(isPolled: boolean) {
    Atomics.store(this.polled, 0, isPolled ? 1 : 0);
  }
}

/** The sender's end: takes requests in their order, and hears what became of them. */
export class JournalLane {
  private readonly post: (aside: Aside) => void;
  private readonly onReply: (reply: JournalReply) => void;
  private readonly ring: RingProducer;
  private readonly cell: DurableCell;
  private lastSent = 0;
  private lastDurable = 0;
  /** When the oldest append that is not durable was sent, or a later one where others became durable meanwhile. */
  private waitsSince = 0;
  private isSlow = false;

  constructor(memory: LaneMemory, post: (aside: Aside) => void, onReply: (reply: JournalReply) => void) {
    this.post = post;
    this.onReply = onReply;
    this.ring = new RingProducer(memory.requests);
    this.cell = new DurableCell(memory.durable);
  }

  send(requests: readonly JournalRequest[]): void {
    const wasWaiting = this.isWaiting;
    const aside = requests.slice(this.putAll(requests));
    if (aside.length > 0) {
      this.post({ at: this.ring.head, requests: aside } satisfies Aside);
    }
    this.lastSent = requests.findLast(isAppend)?.lastSequence ?? this.lastSent;
    if (this.isWaiting && !wasWaiting) {
      this.waitsSince = performance.now();
    }
    if (this.isWaiting && !this.isSlow && !this.cell.isPolled) {
      this.cell.isPolled = true;
      setImmediate(this.poll);
    }
    this.ring.wake();
  }

  /** To be given each message of the thread. */
  receive(reply: JournalReply): void {
    this.look();
    if (reply.type === 'failed') {
      this.onReply(reply);
    }
  }

  /** Puts what may go through the ring, as far as it finds room there; answers how many that were. */
  private putAll(requests: readonly JournalRequest[]): number {
    let count = 0;
    let frame = frameOf(requests, count);
    while (frame && this.ring.put(frame.parts, frame.lastSequence)) {
      count += frame.parts.length;
      frame = frameOf(requests, count);
    }
    return count;
  }

  private readonly poll = (): void => {
    this.look();
    if (this.isWaiting && performance.now() - this.waitsSince < POLL_MS) {
      setImmediate(this.poll);
      return;
    }
    this.cell.isPolled = false;
    // It may have been said before that could be seen.
    this.look();
    this.isSlow = this.isWaiting;
  };

  /** Tells what has become durable; to be asked before the thread's end is told, which may overtake it. */
  look(): void {
    const { sequence } = this.cell;
    if (sequence > this.lastDurable) {
      const now = performance.now();
      this.isSlow = now - this.waitsSince >= POLL_MS;
      this.waitsSince = now;
      this.lastDurable = sequence;
      this.onReply({ type: 'durable', sequence });
    }
  }

  private get isWaiting(): boolean {
    return this.lastDurable < this.lastSent;
  }
}

/** The thread's end. */
export class JournalPort {
  private readonly port: MessagePort;
  private readonly ring: RingConsumer;
  private readonly cell: DurableCell;
  private next: Aside | undefined;

  constructor(port: MessagePort, memory: LaneMemory) {
    this.port = port;
    this.ring = new RingConsumer(memory.requests);
    this.cell = new DurableCell(memory.durable);
  }

  /** Blocks until something has arrived; answers all of it, in the order in which it was sent. */
  *arrived(): Generator<JournalRequest> {
    this.ring.wait(SPIN_MS);
    // Looked at first: a message that was posted before a frame was put is there when the frame is.
    const { head } = this.ring;
    for (;;) {
      this.next ??= receiveMessageOnPort(this.port)?.message as Aside | undefined;
      for (const { bytes, tag } of this.ring.takeUntil(this.next ? earlier(this.next.at, head) : head)) {
        yield { type: 'append', bytes, lastSequence: tag, blobs: [] };
      }
      if (!this.next || this.ring.isBefore(this.next.at)) {
        return;
      }
      yield* this.next.requests;
      this.next = undefined;
    }
  }

  reply(reply: JournalReply): void {
    if (reply.type === 'durable') {
      this.cell.sequence = reply.sequence;
      if (this.cell.isPolled) {
        return;
      }
    }
    this.port.postMessage(reply);
  }
}

/** Appends without blobs, from `start` on, as many as a frame should hold; undefined where something else is next. */
function frameOf(
  requests: readonly JournalRequest[],
  start: number,
): { readonly parts: readonly Uint8Array[]; readonly lastSequence: number } | undefined {
  const parts: Uint8Array[] = [];
  let lastSequence = 0;
  let room = FRAME_BYTES;
  for (let index = start; index < requests.length && room > 0; index++) {
    const request = requests[index];
    if (!request || !isAppend(request) || request.blobs.length > 0) {
      break;
    }
    parts.push(request.bytes);
    lastSequence = request.lastSequence;
    room -= request.bytes.length;
  }
  return parts.length > 0 ? { parts, lastSequence } : undefined;
}

function isAppend(request: JournalRequest): request is Extract<JournalRequest, { type: 'append' }> {
  return request.type === 'append';
}
