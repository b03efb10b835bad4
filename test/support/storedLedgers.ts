/** Ledgers as a process opens them, with real files and threads, one owner after the other on one temporary folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/host/clock.ts';
import { systemFiles } from '../../src/ledger/files.ts';
import { LIMITS, type LedgerLimits } from '../../src/ledger/limits.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { workerThreads } from '../../src/ledger/threads.ts';

/** To be made in a `describe`: each of its tests begins with an empty folder, and no ledger outlives its test. */
export class StoredLedgers {
  storage = '';
  private epoch = 0;
  private readonly opened: SquadLedger[] = [];
  private readonly limits: Partial<LedgerLimits>;

  constructor(limits: Partial<LedgerLimits> = {}) {
    this.limits = limits;
    beforeEach(async () => {
      this.epoch = 0;
      this.storage = await mkdtemp(path.join(tmpdir(), 'ledger-'));
    });
    // A failed test has not closed its ledgers, and their threads would keep the process alive.
    afterEach(async () => {
      await Promise.all(this.opened.splice(0).map((ledger) => ledger.close()));
      await rm(this.storage, { recursive: true });
    });
  }

  async open(limits: Partial<LedgerLimits> = {}): Promise<SquadLedger> {
    const { storage } = this;
    const epoch = ++this.epoch;
    const ledger = await SquadLedger.open({
      storage,
      epoch,
      laterOwner: path.join(storage, `epoch.${epoch + 1}`),
      host: 'terminal',
      clock: systemClock,
      ground: {
        files: systemFiles,
        threads: workerThreads,
        limits: { ...LIMITS, imageRestMs: 0, ...this.limits, ...limits },
      },
    });
    this.opened.push(ledger);
    return ledger;
  }
}
