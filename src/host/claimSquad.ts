/** Becomes the owner of a workspace's squad, waiting a while for one that lives and asking the person about one that is silent. */
import { SquadOwnedError, SquadSilentError } from '../domain/errors.ts';
import type { OwnerRecord } from '../domain/owner.ts';
import { claimOwnership, type ClaimOptions, type Ownership } from '../ledger/ownership.ts';
import { systemClock } from './clock.ts';
import { endOwnerProcess, isRunning, thisProcess } from './ownerProcess.ts';

/** The person's answer about an owner that took the connection and says nothing. */
export type AboutSilentOwner = (owner: OwnerRecord) => Promise<'take-over' | 'leave'>;

/** How often a living owner that is about to go is asked, and how many times. Counted, so that no clock decides. */
const POLL_MS = 200;
const POLLS = 50;

/** Rejects with SquadOwnedError, or with SquadSilentError where the person does not take over or nobody can be asked. */
export async function claimSquad(
  options: Omit<ClaimOptions, 'process' | 'isRunning' | 'takeOverFrom'>,
  aboutSilentOwner: AboutSilentOwner | undefined,
  signal: AbortSignal,
): Promise<Ownership> {
  const claim = { ...options, process: await thisProcess(), isRunning };
  let takeOverFrom: number | undefined;
  for (let polls = 0; ;) {
    const claimed = await claimOwnership({ ...claim, takeOverFrom }, signal);
    switch (claimed.kind) {
      case 'owned':
        return claimed.ownership;
      case 'alive':
        if (++polls > POLLS) {
          throw new SquadOwnedError(claimed.owner.pid, claimed.owner.host);
        }
        await systemClock.sleep(POLL_MS, signal);
        break;
      case 'silent': {
        const { owner } = claimed;
        if ((await aboutSilentOwner?.(owner)) !== 'take-over') {
          throw new SquadSilentError(owner.pid, owner.host);
        }
        await endOwnerProcess(owner);
        takeOverFrom = owner.epoch;
      }
    }
  }
}
