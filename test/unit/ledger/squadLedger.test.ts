import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RUNTIME, type EventDraft, type SquadEvent } from '../../../src/domain/events.ts';
import { readJournal } from '../../../src/ledger/journalFile.ts';
import { scanSegment } from '../../../src/ledger/segmentScan.ts';
import { StoredLedgers } from '../../support/storedLedgers.ts';

const agent = (id: string): EventDraft => ({
  type: 'agent-created',
  actor: RUNTIME,
  agent: { id, type: 'coding', name: id, capabilities: [], specializations: [] },
});

describe('SquadLedger', () => {
  const ledgers = new StoredLedgers();

  it('has the same state after it is opened again', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1'), agent('coding-2')).durable;
    await first.close();

    const second = await ledgers.open();

    assert.deepEqual(Object.keys(second.state.standing.agents), ['coding-1', 'coding-2']);
    assert.equal(second.state.sequence, 4);
    await second.close();
  });

  it('reads any event again, of this owner and of earlier ones', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1'), agent('coding-2')).durable;
    await first.close();
    const second = await ledgers.open();
    second.append(agent('coding-3'));

    const types = [await second.read(3), await second.read(5)].map(
      (event) => event.type === 'agent-created' && event.agent.id,
    );

    assert.deepEqual(types, ['coding-2', 'coding-3']);
    await second.close();
  });

  it('loses exactly the torn record when the last write was cut anywhere', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1')).durable;
    await first.append(agent('coding-2')).durable;
    await first.close();
    const file = path.join(ledgers.storage, 'journal.1.1');
    const whole = await readFile(file);
    const { records } = scanSegment(whole, 1);
    const lastOffset = records.at(-1)!.offset;
    for (let length = lastOffset; length < whole.length; length++) {
      await writeFile(file, whole);
      await truncate(file, length);
      assert.equal((await readJournal(ledgers.storage)).lastSequence, 2, `cut at ${length}`);
    }
  });

  it('never reads what an earlier owner wrote after a later one had taken over', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1')).durable;
    const second = await ledgers.open();
    first.append(agent('zombie'));
    await first.close();
    await second.append(agent('coding-2')).durable;
    await second.close();

    const history = await readJournal(ledgers.storage);

    const ids = history.events.flatMap((event) => (event.type === 'agent-created' ? [event.agent.id] : []));
    assert.deepEqual(ids, ['coding-1', 'coding-2']);
    assert.deepEqual(history.damage, []);
  });

  it('acknowledges nothing once a later owner has linked', async () => {
    const ledger = await ledgers.open();
    await writeFile(path.join(ledgers.storage, 'epoch.2'), '');

    await assert.rejects(ledger.append(agent('coding-1')).durable, /taken over/);
    assert.throws(() => ledger.append(agent('coding-2')), /taken over/);
    // Also where the thread saw it first, and no time has passed since.
    await assert.rejects(ledger.read(1), /taken over/);
    await ledger.close();
  });

  it('says of nothing any more that it is durable once a later owner has linked, also of what was', async () => {
    const ledger = await ledgers.open();
    await ledger.append(agent('coding-1')).durable;
    await writeFile(path.join(ledgers.storage, 'epoch.2'), '');
    // Whoever was stopped meanwhile sees by the time that it was.
    await new Promise((resolve) => setTimeout(resolve, 2));

    await assert.rejects(ledger.flushed(), /taken over/);
    await assert.rejects(ledger.read(2), /taken over/);
    await ledger.close();
  });

  it('lets no effect begin once a later owner has linked, before anything was written', async () => {
    const ledger = await ledgers.open();
    ledger.assertOwner();
    await writeFile(path.join(ledgers.storage, 'epoch.2'), '');
    const failures: Error[] = [];
    ledger.onDidFail((error) => failures.push(error));

    assert.throws(() => {
      ledger.assertOwner();
    }, /taken over/);
    assert.equal(failures.length, 1);
    assert.equal(ledger.isOpen, false);
    await ledger.close();
  });

  it('closes with a reason when its folder is deleted, and acknowledges nothing more', async () => {
    const ledger = await ledgers.open();
    await ledger.append(agent('coding-1')).durable;
    await rm(ledgers.storage, { recursive: true });

    await assert.rejects(ledger.append(agent('coding-2')).durable, /journal\.1\.1 was moved or deleted/);
    assert.equal(ledger.isOpen, false);
    await ledger.close();
    await mkdir(ledgers.storage);
  });

  it('tells of damage in the middle, keeps the file, and goes on from the last good event', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1')).durable;
    await first.append(agent('coding-2')).durable;
    await first.close();
    const second = await ledgers.open();
    await second.close();
    const file = path.join(ledgers.storage, 'journal.1.1');
    const bytes = await readFile(file);
    bytes[bytes.length - 5] = 0;
    await writeFile(file, bytes);

    const third = await ledgers.open();

    assert.deepEqual(Object.keys(third.state.standing.agents), ['coding-1']);
    assert.deepEqual(third.damage, [
      'journal.1.1 is damaged behind event 2. It was kept as journal.1.1.damaged-1; nothing was deleted.',
      'journal.2.1 continues from an event that cannot be read. It was kept as journal.2.1.damaged-1; nothing was deleted.',
    ]);
    assert.deepEqual(await readFile(file), bytes);
    assert.deepEqual(await readFile(`${file}.damaged-1`), bytes);
    await third.append(agent('coding-3')).durable;
    await third.close();
    const fourth = await ledgers.open();
    assert.deepEqual(Object.keys(fourth.state.standing.agents), ['coding-1', 'coding-3']);
    assert.deepEqual(fourth.damage, []);
    await fourth.close();
  });

  it('passes over bytes that are no record', async () => {
    const first = await ledgers.open();
    await first.append(agent('coding-1')).durable;
    await first.close();
    await appendFile(path.join(ledgers.storage, 'journal.1.1'), Buffer.alloc(4096, 0xff));

    assert.equal((await readJournal(ledgers.storage)).lastSequence, 2);
    assert.deepEqual(await readdir(ledgers.storage), ['journal.1.1']);
  });

  it('delivers events in order also when a listener appends', async () => {
    const ledger = await ledgers.open();
    const seen: number[] = [];
    ledger.onDidAppend((event) => {
      if (event.sequence === 2) {
        ledger.append(agent('coding-3'));
      }
    });
    ledger.onDidAppend((event) => seen.push(event.sequence));
    ledger.append(agent('coding-1'), agent('coding-2'));
    assert.deepEqual(seen, [2, 3, 4]);
    await ledger.close();
  });

  it('lets who waits go on in the order of what they wait for, whoever began to wait first', async () => {
    const ledger = await ledgers.open();
    const before = ledger.state.sequence;
    ledger.append(agent('coding-1'));
    ledger.append(agent('coding-2'));
    ledger.append(agent('coding-3'));
    const wentOn: number[] = [];
    const wait = async (upTo?: number): Promise<void> => {
      await ledger.flushed(upTo);
      wentOn.push((upTo ?? ledger.state.sequence) - before);
    };
    await Promise.all([wait(), wait(before + 1), wait(before + 2), wait(before + 1)]);
    assert.deepEqual(wentOn, [1, 1, 2, 3]);
    await ledger.close();
  });

  it('shows each event as it writes it, whole and in order, also one that is longer than a record', async () => {
    const ledger = await ledgers.open();
    const shown: unknown[] = [];
    const appended: unknown[] = [];
    ledger.onDidWrite(({ sequence, type, json }) => {
      const event = JSON.parse(Buffer.from(json).toString()) as SquadEvent;
      assert.deepEqual([event.sequence, event.type], [sequence, type]);
      shown.push(event);
    });
    ledger.onDidAppend((event) => {
      appended.push(event);
      if (event.sequence === 2) {
        ledger.append(agent('by a listener'));
      }
    });
    ledger.append(agent('ä'), agent('x'.repeat(2_000_000)));
    assert.equal(shown.length, 3);
    assert.deepEqual(shown, JSON.parse(JSON.stringify(appended)));
    await ledger.close();
  });

  it('closes when an event does not fit the state', async () => {
    const ledger = await ledgers.open();
    assert.throws(() => ledger.append({ type: 'run-paused', runId: 'none', actor: RUNTIME }), /did not fit/);
    assert.throws(() => ledger.append(agent('coding-1')), /did not fit/);
    await ledger.close();
  });
});
