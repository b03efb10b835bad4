/** Becomes the owner of a workspace's squad where nobody is, and asks the person about an owner that does not answer. */
import { SquadSilentError } from '../domain/errors.ts';
import type { OwnerRecord } from '../domain/owner.ts';
import { claimOwnership, type ClaimOptions, type Ownership } from '../ledger/ownership.ts';
import { endOwnerProcess, isRunning, thisProcess } from './ownerProcess.ts';

/** The person's answer about an owner that took the connection and says nothing. */
export type AboutSilentOwner = (owner: OwnerRecord) => Promise<'take-over' | 'leave'>;

/** Answers the owner where one lives. Rejects with SquadSilentError where nobody takes over from one that is silent. */
export async function claimSquad(
  options: Omit<ClaimOptions, 'process' | 'isRunning' | 'takeOverFrom'>,
  aboutSilentOwner: AboutSilentOwner | undefined,
  signal: AbortSignal,
): Promise<{ kind: 'owned'; ownership: Ownership } | { kind: 'alive'; owner: OwnerRecord }> {
  const claim = { ...options, process: await thisProcess(), isRunning };
  let takeOverFrom: number | undefined;
  for (;;) {
    const claimed = await claimOwnership({ ...claim, takeOverFrom }, signal);
    if (claimed.kind === 'owned') {
      return { kind: 'owned', ownership: claimed.ownership };
    }
    const { kind, owner } = claimed;
    if (kind === 'alive') {
      return { kind, owner };
    }
    if ((await aboutSilentOwner?.(owner)) !== 'take-over') {
      throw new SquadSilentError(owner.pid, owner.host);
    }
    await endOwnerProcess(owner);
    takeOverFrom = owner.epoch;
  }
}
