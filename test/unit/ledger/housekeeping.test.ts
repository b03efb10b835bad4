import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { EventGoneError } from '../../../src/domain/errors.ts';
import { RUNTIME, type EventDraft, type SquadEvent } from '../../../src/domain/events.ts';
import type { SquadLedger } from '../../../src/ledger/squadLedger.ts';
import { anyAgent, anyMessage, anyOptions } from '../../support/builders.ts';
import { StoredLedgers } from '../../support/storedLedgers.ts';

describe("the ledger's storage folder", () => {
  const ledgers = new StoredLedgers({ segmentBytes: 5_000, imageRecords: 20 });
  const names = (folder = ''): Promise<string[]> =>
    readdir(path.join(ledgers.storage, folder)).catch((): string[] => []);

  const message = (runId: string, id: number, length: number): EventDraft => ({
    type: 'message-sent',
    runId,
    actor: RUNTIME,
    message: anyMessage({ id: `${runId}.m${id}`, runId, content: { kind: 'text', text: 'ü'.repeat(length) } }),
  });
  const start = (runId: string): EventDraft => ({
    type: 'run-started',
    runId,
    actor: RUNTIME,
    objective: 'Greet',
    options: anyOptions(),
  });

  /** A whole run with a long message in it, from its start to its archive. */
  const playRun = async (ledger: SquadLedger, runId: string): Promise<SquadEvent[]> => {
    const usage = { tokens: 1, requests: 1, workedMs: 1 };
    const { events, durable } = ledger.append(
      start(runId),
      { type: 'agent-created', actor: RUNTIME, agent: anyAgent({ id: `of-${runId}` }) },
      ...Array.from({ length: 10 }, (_, id) => message(runId, id, 100)),
      message(runId, 10, 9_000),
      { type: 'run-ended', runId, actor: RUNTIME, status: 'succeeded', usage },
      { type: 'run-archived', runId, actor: RUNTIME, reason: 'old' },
    );
    await durable;
    // The tables have saved what is durable.
    await writeFile(path.join(ledgers.storage, 'tables.json'), JSON.stringify({ lastSequence: ledger.state.sequence }));
    return [...events];
  };
  const until = async (isSo: () => Promise<boolean>, meanwhile: () => Promise<unknown>): Promise<void> => {
    for (let tries = 0; tries < 1_000 && !(await isSo()); tries++) {
      await meanwhile();
      // The thread that tidies up comes after.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(await isSo());
  };

  it('has a file of its own for an event that is too long for the journal, read like any other', async () => {
    const ledger = await ledgers.open();
    await ledger.append(start('run-1')).durable;
    const { events, durable } = ledger.append(message('run-1', 1, 9_000), message('run-1', 2, 19_999));
    await durable;
    assert.deepEqual(await names('blobs'), []);

    const small = await ledgers.open({ blobBytes: 10_000 });
    const { events: later, durable: also } = small.append(message('run-1', 3, 9_000), message('run-1', 4, 4_000));
    await also;

    assert.equal((await names('blobs')).length, 1);
    assert.deepEqual(await small.read(later[0]!.sequence), later[0]);
    assert.deepEqual(await small.read(events[1]!.sequence), events[1]);
    const [blob = ''] = await names('blobs');
    await writeFile(path.join(ledgers.storage, 'blobs', blob), 'ü'.repeat(9_000));
    await assert.rejects(small.read(later[0]!.sequence), /has changed on disk and cannot be trusted/);
    assert.deepEqual(await small.read(later[1]!.sequence), later[1]);
    await Promise.all([ledger.close(), small.close()]);
  });

  it('loses the segments and blobs of runs that are archived, whose events are read from the archive', async () => {
    const ledger = await ledgers.open({ blobBytes: 10_000 });
    const first = await playRun(ledger, 'run-0');
    let run = 1;
    await until(
      async () => !(await names()).includes('journal.1.1') && (await names('blobs')).length < run,
      () => playRun(ledger, `run-${run++}`),
    );

    for (const event of first) {
      assert.deepEqual(await ledger.read(event.sequence), event);
    }
    await assert.rejects(ledger.read(1), EventGoneError);
    await ledger.close();
    const again = await ledgers.open();
    for (const event of first) {
      assert.deepEqual(await again.read(event.sequence), event);
    }
    assert.deepEqual(again.state.standing, ledger.state.standing);
    await again.close();
  });

  it('keeps what a living run has said', async () => {
    const ledger = await ledgers.open();
    const { events } = ledger.append(start('living'), message('living', 1, 9_000));
    for (let run = 0; run < 20; run++) {
      await playRun(ledger, `run-${run}`);
    }
    await ledger.close();
    assert.ok((await names()).includes('journal.1.1'));
    const again = await ledgers.open();
    assert.deepEqual(await again.read(events[1]!.sequence), events[1]);
    await again.close();
  });

  it('stays of one size, however many runs there were', async () => {
    const ledger = await ledgers.open({ archivedRuns: 5, blobBytes: 10_000 });
    for (let run = 0; run < 30; run++) {
      await playRun(ledger, `run-${run}`);
    }
    let run = 30;
    await until(
      async () => (await sizeOf(ledgers.storage)) < 400_000,
      () => playRun(ledger, `run-${run++}`),
    );
    const archives = (await names('archive')).filter((name) => name.includes('.run.'));
    assert.ok(archives.length > 0 && archives.length < run, `${archives.length} archives of ${run} runs`);
    await ledger.close();
  });
});

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    size += await stat(path.join(folder, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    );
  }
  return size;
}
