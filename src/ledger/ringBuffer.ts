/**
 * Frames from one thread to another through memory that both share: one producer, one consumer, neither ever waits for room.
 * A consumer that looks for more is reached without a call to the system, and one that sleeps for less than a message costs.
 *
 *   head i32 | tail i32 | bell i32 | (unused) | frames, round and round: length u32, tag f64, bytes
 *
 * Head and tail count bytes and wrap around at 32 bits; they are compared by their difference.
 */
const [HEAD, TAIL, BELL] = [0, 1, 2];
const CELL_BYTES = 16;
const HEADER_BYTES = 12;
const LEAST_PATIENCE = 1 / 64;

export interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly tag: number;
}

/** Memory for frames of `capacity` bytes, which is a power of two. The counts begin at `from`. */
export function ringMemory(capacity: number, from = 0): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(CELL_BYTES + capacity);
  new Int32Array(memory).fill(from, HEAD, BELL);
  return memory;
}

class Ring {
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly capacity: number;
  private readonly bytes: Uint8Array<SharedArrayBuffer>;
  private readonly header = new DataView(new ArrayBuffer(HEADER_BYTES));
  private readonly headerBytes = new Uint8Array(this.header.buffer);

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory, 0, CELL_BYTES / 4);
    this.bytes = new Uint8Array(memory, CELL_BYTES);
    this.capacity = this.bytes.length;
  }

  writeFrame(position: number, parts: readonly Uint8Array[], length: number, tag: number): void {
    this.header.setUint32(0, length);
    this.header.setFloat64(4, tag);
    this.write(position, this.headerBytes);
    let offset = HEADER_BYTES;
    for (const part of parts) {
      this.write(position + offset, part);
      offset += part.length;
    }
  }

  readFrame(position: number): Frame {
    this.read(position, this.headerBytes);
    const bytes = new Uint8Array(this.header.getUint32(0));
    this.read(position + HEADER_BYTES, bytes);
    return { bytes, tag: this.header.getFloat64(4) };
  }

  private write(position: number, from: Uint8Array): void {
    const start = this.indexOf(position);
    const first = Math.min(from.length, this.capacity - start);
    this.bytes.set(first === from.length ? from : from.subarray(0, first), start);
    if (first < from.length) {
      this.bytes.set(from.subarray(first), 0);
    }
  }

  private read(position: number, to: Uint8Array): void {
    const start = this.indexOf(position);
    const first = Math.min(to.length, this.capacity - start);
    to.set(this.bytes.subarray(start, start + first));
    if (first < to.length) {
      to.set(this.bytes.subarray(0, to.length - first), first);
    }
  }

  private indexOf(position: number): number {
    return position & (this.capacity - 1);
  }
}

export class RingProducer {
  private readonly ring: Ring;
  private position: number;

  constructor(memory: SharedArrayBuffer) {
    this.ring = new Ring(memory);
    this.position = Atomics.load(this.ring.cells, HEAD);
  }

  /** Where the next frame will begin. */
  get head(): number {
    return this.position;
  }

  /** Puts a frame of these parts behind the others; false where it does not fit now. */
  put(parts: readonly Uint8Array[], tag: number): boolean {
    const { cells, capacity } = this.ring;
    let length = 0;
    for (const part of parts) {
      length += part.length;
    }
    const end = (this.position + HEADER_BYTES + length) | 0;
    if (HEADER_BYTES + length > capacity || bytesBetween(Atomics.load(cells, TAIL), end) > capacity) {
      return false;
    }
    this.ring.writeFrame(this.position, parts, length, tag);
    this.position = end;
    Atomics.store(cells, HEAD, end);
    return true;
  }

  /** Wakes the consumer: there is something for it. */
  wake(): void {
    Atomics.add(this.ring.cells, BELL, 1);
    Atomics.notify(this.ring.cells, BELL);
  }
}

export class RingConsumer {
  private readonly ring: Ring;
  private position: number;
  private heard = 0;
  /** What part of the longest look the next one takes. */
  private patience = 1;

  constructor(memory: SharedArrayBuffer) {
    this.ring = new Ring(memory);
    this.position = Atomics.load(this.ring.cells, TAIL);
  }

  /**
   * Blocks its thread until the producer wakes it; goes on at once where it has done so since the last time. It looks for up
   * to `spinMs` before it sleeps: whom nobody has to wake is there sooner. After a look in vain it looks for less: where
   * others want the processor too, it may be the producer whom the looking keeps from it.
   */
  wait(spinMs: number): void {
    const { cells } = this.ring;
    const end = performance.now() + spinMs * this.patience;
    while (Atomics.load(cells, BELL) === this.heard && performance.now() < end);
    this.patience =
      Atomics.load(cells, BELL) === this.heard
        ? Math.max(LEAST_PATIENCE, this.patience / 4)
        : Math.min(1, this.patience * 2);
    Atomics.wait(cells, BELL, this.heard);
    this.heard = Atomics.load(cells, BELL);
  }

  /** Where the frames end that are there now. */
  get head(): number {
    return Atomics.load(this.ring.cells, HEAD);
  }

  /** The frames that stand before `end`, which is a head of then or now. */
  *takeUntil(end: number): Generator<Frame> {
    while (this.isBefore(end)) {
      const frame = this.ring.readFrame(this.position);
      this.position = (this.position + HEADER_BYTES + frame.bytes.length) | 0;
      Atomics.store(this.ring.cells, TAIL, this.position);
      yield frame;
    }
  }

  /** Whether anything is still to be taken before `end`. */
  isBefore(end: number): boolean {
    return bytesBetween(this.position, end) > 0;
  }
}

/** The one of two places that is reached first. */
export function earlier(one: number, other: number): number {
  return bytesBetween(one, other) > 0 ? one : other;
}

/** Less than none where `to` stands before `from`. */
export function bytesBetween(from: number, to: number): number {
  return (to - from) | 0;
}
