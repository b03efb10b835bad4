import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../../src/host/clock.ts';
import { LedgerClosedError, StorageError } from '../../../src/domain/errors.ts';
import { RUNTIME, type EventDraft } from '../../../src/domain/events.ts';
import { readState } from '../../../src/ledger/history.ts';
import { SquadLedger } from '../../../src/ledger/squadLedger.ts';
import { anyAgent } from '../../support/builders.ts';

const agent = (id: string): EventDraft => ({ type: 'agent-created', actor: RUNTIME, agent: anyAgent({ id }) });

/** A disk of its own needs the rights to mount one; everywhere else the simulated disk stands for it. */
describe('a ledger on a disk that is full, and then read-only', function () {
  let disk: string;
  const storage = (): string => path.join(disk, 'squad');
  const open = (epoch: number): Promise<SquadLedger> =>
    SquadLedger.open({
      storage: storage(),
      epoch,
      laterOwner: path.join(disk, `epoch.${epoch + 1}`),
      host: 'terminal',
      clock: systemClock,
    });

  before(function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      this.skip();
    }
    disk = mkdtempSync(path.join(tmpdir(), 'disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', disk]);
  });
  after(() => {
    execFileSync('umount', [disk]);
    rmdirSync(disk);
  });

  it('closes with a reason, keeps what it acknowledged, and opens again once there is room', async () => {
    const filler = path.join(disk, 'filler');
    writeFileSync(filler, Buffer.alloc(300_000));
    const ledger = await open(1);
    let acknowledged = 0;
    const failure = await (async () => {
      for (;;) {
        const { events, durable } = ledger.append(agent(`agent-${acknowledged}`));
        await durable;
        acknowledged = events[0]!.sequence;
      }
    })().catch((error: unknown) => error);
    assert.ok(failure instanceof LedgerClosedError, String(failure));
    assert.match(failure.message, /cannot be written: ENOSPC.*What was acknowledged is safe/);
    assert.equal(ledger.isOpen, false);
    await ledger.close();
    await assert.rejects(open(2), /ENOSPC|cannot be written/);

    rmSync(filler);
    const again = await open(3);

    assert.ok(acknowledged > 100 && again.state.sequence > acknowledged, `${acknowledged}, ${again.state.sequence}`);
    assert.deepEqual(again.damage, []);
    await again.append(agent('later')).durable;
    await again.close();
  });

  it('can still be looked at when nothing can be written', async () => {
    const { sequence } = await readState(storage());
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await assert.rejects(
      open(4),
      (error) => error instanceof StorageError && /cannot be written|EROFS/.test(error.message),
    );
    assert.equal((await readState(storage())).sequence, sequence);
  });
});
