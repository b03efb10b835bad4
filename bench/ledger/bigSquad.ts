/** Squads with much in them, made by the shipped path: the ledger, its images and the tables behind it. */
import path from 'node:path';
import { systemClock } from '../../src/host/clock.ts';
import { RUNTIME, type EventDraft } from '../../src/domain/events.ts';
import { systemFiles } from '../../src/ledger/files.ts';
import { LIMITS, type LedgerLimits } from '../../src/ledger/limits.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { listStorage } from '../../src/ledger/storageFolder.ts';
import { workerThreads } from '../../src/ledger/threads.ts';
import type { Logger } from '../../src/ports.ts';
import { TablesStore } from '../../src/store/sqljs/tablesClient.ts';
import { TablesFeed } from '../../src/store/tablesFeed.ts';
import { anyMessage, anyOptions } from '../../test/support/builders.ts';

const RUN_ID = 'run-1';
const TEXT = 'x'.repeat(1024);
const LOT = 200;
/** No image by itself. */
const NO_IMAGES: LedgerLimits = { ...LIMITS, imageRecords: Infinity, imageBytes: Infinity, imageSegments: Infinity };

/** Mail that waits fills the living state; what was taken in fills the journal and the tables. */
export type Mail = 'waits' | 'is taken in';

export class BigSquad {
  readonly ledger: SquadLedger;
  private readonly feed: TablesFeed;

  static async open(storage: string, epoch: number, limits: LedgerLimits = LIMITS): Promise<BigSquad> {
    const ledger = await openLedger(storage, epoch, limits);
    const ledgerSequence = ledger.state.sequence;
    const signal = AbortSignal.timeout(60_000);
    const tables = await TablesStore.open({ folder: storage, ledgerSequence, clock: systemClock, logger }, signal);
    return new BigSquad(ledger, tables);
  }

  private constructor(ledger: SquadLedger, tables: TablesStore) {
    this.ledger = ledger;
    this.feed = new TablesFeed({ ledger, tables, clock: systemClock, logger });
    if (!ledger.state.runs[RUN_ID]) {
      ledger.append({ type: 'run-started', runId: RUN_ID, actor: RUNTIME, objective: 'Talk', options: anyOptions() });
    }
  }

  /** A message of 1 KB, which its receiver takes in, or not. */
  message(mail: Mail): EventDraft[] {
    const id = `m${this.ledger.state.sequence}`;
    const content = { kind: 'text' as const, text: TEXT };
    const common = { runId: RUN_ID, actor: RUNTIME };
    const sent = { ...common, type: 'message-sent' as const, message: anyMessage({ id, runId: RUN_ID, content }) };
    return mail === 'waits' ? [sent] : [sent, { ...common, type: 'message-acknowledged', messageId: id }];
  }

  async say(messages: number, mail: Mail): Promise<void> {
    for (let said = 0; said < messages; said += LOT) {
      for (let index = 0; index < LOT - 1; index++) {
        this.ledger.append(...this.message(mail));
      }
      await this.ledger.append(...this.message(mail)).durable;
    }
  }

  async close(): Promise<void> {
    await this.feed.close(AbortSignal.timeout(120_000));
    await this.ledger.close();
  }
}

export function openLedger(storage: string, epoch: number, limits: LedgerLimits = LIMITS): Promise<SquadLedger> {
  return SquadLedger.open({
    storage,
    epoch,
    laterOwner: path.join(storage, `epoch.${epoch + 1}`),
    host: 'terminal',
    clock: systemClock,
    ground: { files: systemFiles, threads: workerThreads, limits },
  });
}

/** Messages in an image of the state, and more in the journal behind it. Takes the epochs 1 to 3. */
export async function makeBigSquad(storage: string, mail: Mail, inImage: number, behind: number): Promise<void> {
  const first = await BigSquad.open(storage, 1, NO_IMAGES);
  await first.say(inImage, mail);
  const { sequence } = first.ledger.state;
  await first.close();
  const second = await openLedger(storage, 2, { ...LIMITS, imageSegments: 1 });
  while ((listStorage(systemFiles, storage).images[0]?.sequence ?? 0) < sequence) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await second.close();
  const third = await BigSquad.open(storage, 3, NO_IMAGES);
  await third.say(behind, mail);
  await third.close();
}

const logger: Logger = {
  info: () => undefined,
  warn: (message) => {
    console.error(message);
  },
  error: (message, cause) => {
    console.error(message, cause);
  },
};
