/**
 * A process that wants to own a squad: started by `takeOver.ts`, never imported. It waits its turn, writes events as fast
 * as they become durable, and says on standard output what it has acknowledged, a JSON line each.
 */
import path from 'node:path';
import { RUNTIME } from '../../src/domain/events.ts';
import { messageOf } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/host/clock.ts';
import { isRunning, thisProcess } from '../../src/host/ownerProcess.ts';
import { claimOwnership, type Ownership } from '../../src/ledger/ownership.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import type { RivalOptions, RivalWord } from './takeOver.ts';

// Written by `takeOver.ts`, of the same commit.
const { folder, skewMs, helloTimeoutMs, takesOver } = JSON.parse(process.argv[2] ?? '{}') as RivalOptions;
const clock = { ...systemClock, now: () => Date.now() + skewMs };
const forEver = new AbortController().signal;
const storage = path.join(folder, 'storage');

const say = (word: RivalWord): void => {
  process.stdout.write(`${JSON.stringify(word)}\n`);
};

async function own(): Promise<Ownership> {
  let takeOverFrom: number | undefined;
  for (;;) {
    const claim = await claimOwnership(
      {
        folder: path.join(folder, 'owners'),
        home: { folder, runtimeFolders: [path.join(folder, 'run')] },
        storage,
        host: 'terminal',
        process: await thisProcess(),
        isRunning,
        takeOverFrom,
        helloTimeoutMs,
        answer: () => Promise.resolve({ type: 'nothing' }),
        attach: () => undefined,
      },
      forEver,
    );
    if (claim.kind === 'owned') {
      return claim.ownership;
    }
    if (claim.kind === 'silent' && takesOver) {
      takeOverFrom = claim.owner.epoch;
    }
    await systemClock.sleep(10, forEver);
  }
}

say({ type: 'waiting' });
const { epoch, laterOwner } = await own();
const ledger = await SquadLedger.open({ storage, epoch, laterOwner, host: 'terminal', clock });
say({ type: 'owns', epoch });
try {
  for (let count = 1; ; count++) {
    const id = `${epoch}-${count}`;
    const agent = { id, type: 'coding' as const, name: id, capabilities: [], specializations: [] };
    const { events, durable } = ledger.append({ type: 'agent-created', actor: RUNTIME, agent });
    await durable;
    say({ type: 'acknowledged', id, sequence: events[0]?.sequence ?? 0 });
    await systemClock.sleep(1, forEver);
  }
} catch (error) {
  say({ type: 'closed', reason: messageOf(error) });
  // A few turns, in which nothing may follow.
  await systemClock.sleep(200, forEver);
  process.exit(0);
}
