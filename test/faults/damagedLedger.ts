/**
 * One file of a ledger is damaged while nobody has it open. Opened again, the ledger reads nothing wrong, says so when
 * something is lost, and the damaged file is still there, under its own name or another.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { StorageError } from '../../src/domain/errors.ts';
import type { SquadEvent } from '../../src/domain/events.ts';
import { SquadLedger, stateOf } from '../../src/ledger/squadLedger.ts';
import { SeededRandom } from '../support/seededRandom.ts';
import { SimulatedDisk } from '../support/simulatedDisk.ts';
import { SimulatedThreads } from '../support/simulatedThreads.ts';
import { randomDraft } from './ledgerStory.ts';
import { SMALL, STORAGE } from './simulatedLedger.ts';

/** What nobody needs any more may be deleted unseen; here it is about what is read. */
const WITHOUT_HOUSEKEEPING = { ...SMALL, imageRecords: Infinity, imageBytes: Infinity, imageSegments: Infinity };

type Bytes = Buffer<ArrayBuffer>;
/** What a damaged file holds, made of what it held; `other` is another file of the ledger. */
type Kind = (content: Bytes, other: Bytes, random: SeededRandom) => Bytes;

const KINDS: Readonly<Record<string, Kind>> = {
  'one bit flipped': (content, _, random) => {
    const copy = Buffer.from(content);
    const at = random.between(0, copy.length - 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.between(0, 7));
    return copy;
  },
  'cut off': (content, _, random) => Buffer.from(content.subarray(0, random.between(0, content.length - 1))),
  empty: () => Buffer.alloc(0),
  'one byte': (content) => Buffer.from(content.subarray(0, 1)),
  'random bytes': (content, _, random) => Buffer.from(content.map(() => random.between(0, 255))),
  'zeros in the middle': (content, _, random) => {
    const copy = Buffer.from(content);
    const from = random.between(0, copy.length - 1);
    return copy.fill(0, from, random.between(from, copy.length));
  },
  'something behind it': (content) => Buffer.concat([content, Buffer.from('SQLite format 3\0 and more of that kind')]),
  'another program’s': () => Buffer.from('SQLite format 3\0'.repeat(50)),
  'another file of the ledger': (_, other) => Buffer.from(other),
};

/** What happened to it, for counting. Throws with the command that replays it. */
export async function surviveDamage(seed: number): Promise<'unharmed' | 'told' | 'refused'> {
  const random = new SeededRandom(seed);
  const kind = random.pick(Object.keys(KINDS))!;
  const ledger = new DamagedLedger(random);
  try {
    await ledger.prepare();
    ledger.damage(KINDS[kind]!);
    return await ledger.check();
  } catch (cause) {
    throw new Error(
      `Seed ${seed} (${ledger.victim}: ${kind}) failed; replay with: DEVSQUAD_SEED=${seed} npm run test:unit -- --grep "file was damaged"`,
      { cause },
    );
  }
}

class DamagedLedger {
  victim = '';
  private readonly random: SeededRandom;
  private readonly disk: SimulatedDisk;
  private readonly threads: SimulatedThreads;
  private events: SquadEvent[] = [];
  private damaged: Bytes = Buffer.alloc(0);
  private epoch = 0;

  constructor(random: SeededRandom) {
    this.random = random;
    this.disk = new SimulatedDisk(random);
    this.threads = new SimulatedThreads(this.disk, random);
  }

  /** Some lives without a fault: images, segments, blobs and archives. */
  async prepare(): Promise<void> {
    for (let life = 0; life < 3; life++) {
      const ledger = await this.open();
      assert.ok(ledger instanceof SquadLedger);
      this.events.push(await ledger.read(ledger.state.sequence));
      ledger.onDidAppend((event) => this.events.push(event));
      for (let step = 0; step < 60; step++) {
        const { durable } = ledger.append(randomDraft(ledger.state, this.random));
        if (step % 4 === 0) {
          await this.settled(durable);
          this.disk.put(`${STORAGE}/tables.json`, Buffer.from(`{"lastSequence":${ledger.state.sequence}}`));
        }
      }
      await this.settled(ledger.close());
    }
  }

  damage(kind: Kind): void {
    const files = this.disk.paths.filter((file) => !file.endsWith('tables.json') && this.disk.size(file) > 0);
    this.victim = this.random.pick(files)!;
    const other = this.random.pick(files.filter((file) => path.dirname(file) === path.dirname(this.victim)))!;
    this.damaged = kind(this.disk.read(this.victim), this.disk.read(other), this.random);
    this.disk.put(this.victim, this.damaged);
  }

  async check(): Promise<'unharmed' | 'told' | 'refused'> {
    const ledger = await this.open(WITHOUT_HOUSEKEEPING);
    if (!(ledger instanceof SquadLedger)) {
      assert.ok(
        ledger instanceof StorageError && /Nothing was changed|nothing was changed/.test(ledger.message),
        String(ledger),
      );
      this.assertStillThere();
      return 'refused';
    }
    const { sequence } = ledger.state;
    for (let at = 1; at < sequence; at++) {
      const event = await ledger.read(at).catch((error: unknown) => {
        assert.ok(error instanceof StorageError, String(error));
        return undefined;
      });
      assert.ok(event === undefined || sameEvent(event, this.events[at - 1]), `event ${at} was read wrong`);
    }
    const expected = stateOf({ events: this.events.slice(0, sequence - 1) });
    assert.deepEqual(ledger.state, { ...expected, sequence, epoch: this.epoch });
    // A journal that ends too early looks like one whose last write was cut off.
    const endsEarly = this.victim.includes(`/journal.${this.epoch - 1}.`);
    const isLost = sequence <= this.events.length;
    assert.ok(!isLost || ledger.damage.length > 0 || endsEarly, 'something is lost and nobody says so');
    assert.ok(!isLost || !this.victim.includes('/state.'), 'one damaged image lost something');
    await this.settled(ledger.append(randomDraft(ledger.state, this.random)).durable);
    await this.settled(ledger.close());
    this.assertStillThere();
    return ledger.damage.length > 0 ? 'told' : 'unharmed';
  }

  private assertStillThere(): void {
    const kept = this.disk.paths.filter((file) => file.startsWith(this.victim));
    assert.ok(
      kept.some((file) => this.disk.read(file).equals(this.damaged)),
      'the damaged file is gone',
    );
  }

  private async open(limits = SMALL): Promise<unknown> {
    this.epoch++;
    const epoch = this.epoch;
    const opened = await this.settled(
      SquadLedger.open({
        storage: STORAGE,
        epoch,
        laterOwner: `/owners/epoch.${epoch + 1}`,
        host: 'terminal',
        clock: { now: () => epoch * 1000, random: () => 0, newId: () => 'none', sleep: () => Promise.resolve() },
        ground: { files: this.disk, threads: this.threads.threads, limits },
      }),
    );
    assert.ok(opened !== 'stopped');
    return 'error' in opened ? opened.error : opened.value;
  }

  private settled<Result>(promise: Promise<Result>) {
    return this.threads.until(promise, () => false);
  }
}

function sameEvent(one: SquadEvent, other: SquadEvent | undefined): boolean {
  try {
    assert.deepEqual(one, other);
    return true;
  } catch {
    return false;
  }
}
