import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RUNTIME } from '../../../src/domain/events.ts';
import { tables as builder } from '../../../src/store/builder.ts';
import { TablesStore } from '../../../src/store/sqljs/tablesClient.ts';
import { TablesFeed } from '../../../src/store/tablesFeed.ts';
import { anyMessage, logWithWorkingTask } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

describe('The feed of the tables', function () {
  let folder: string;
  let ledger: MemoryLedger;
  let tables: TablesStore;
  let feed: TablesFeed;
  const clock = new VirtualClock();
  const warnings: string[] = [];

  const open = (): Promise<TablesStore> => TablesStore.open({ folder }, AbortSignal.timeout(10_000));
  const say = (id: string): void => {
    ledger.append({ type: 'message-sent', runId: 'run-1', actor: RUNTIME, message: anyMessage({ id }) });
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tables-'));
    ledger = new MemoryLedger(logWithWorkingTask());
    tables = await open();
    const logger = { info: () => undefined, error: () => undefined, warn: (text: string) => warnings.push(text) };
    feed = new TablesFeed({ ledger, tables, clock, logger });
  });

  afterEach(async () => {
    await feed.close(AbortSignal.timeout(10_000));
    await rm(folder, { recursive: true });
    assert.deepEqual(warnings, []);
  });

  it('hands over in one lot what came within a moment', async () => {
    await tables.caughtUp(6, AbortSignal.timeout(10_000));
    say('one');
    say('two');
    await turns();
    assert.equal(tables.appendedSequence, 6);

    clock.advance(20);
    await tables.caughtUp(8, AbortSignal.timeout(10_000));
    assert.equal(tables.appendedSequence, 8);
  });

  it('hands over any amount at once', async () => {
    await tables.caughtUp(6, AbortSignal.timeout(10_000));
    const long = 'x'.repeat(900_000);
    const ids = Array.from({ length: 12 }, (_, index) => `long-${index + 10}`);
    for (const id of ids) {
      const text = anyMessage({ id, content: { kind: 'text', text: `${long}${id}` } });
      ledger.append({ type: 'message-sent', runId: 'run-1', actor: RUNTIME, message: text });
    }
    // A lot takes 4 MB of them; between two the feed pauses.
    while (tables.appendedSequence < ledger.state.sequence) {
      clock.advance(20);
      await turns();
    }
    await tables.caughtUp(ledger.state.sequence, AbortSignal.timeout(30_000));
    const query = builder.selectFrom('agent_communications').select(['id', 'message_content']).orderBy('id').compile();
    const rows = await tables.query(query, AbortSignal.timeout(30_000));
    assert.deepEqual(
      rows.map(({ id, message_content }) => [id, message_content.includes(`${long}${id}`)]),
      ids.map((id) => [id, true]),
    );
  });

  it('closes with everything that came before, without waiting for the moment to pass', async () => {
    const ids = Array.from({ length: 600 }, (_, index) => `message-${index + 100}`);
    ids.forEach(say);
    await feed.close(AbortSignal.timeout(10_000));

    tables = await open();
    const query = builder.selectFrom('agent_communications').select('id').orderBy('id').compile();
    const rows = await tables.query(query, AbortSignal.timeout(10_000));
    await tables.close(AbortSignal.timeout(10_000));
    assert.deepEqual(
      rows.map(({ id }) => id),
      ids,
    );
  });
});

/** Lets everything run that waits for nothing. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
