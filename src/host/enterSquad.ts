/**
 * A process comes to a workspace's squad: it becomes the owner where there is none, and otherwise a guest of the one who
 * is. Owners answer their guests from the moment they are registered.
 */
import { answerProcess } from '../control/processRequests.ts';
import { RemoteSquad } from '../control/remoteSquad.ts';
import { serveWindow, type WindowLine } from '../control/windowServer.ts';
import type { Disposable } from '../base/disposable.ts';
import { OwnerLostError, SquadOwnedError } from '../domain/errors.ts';
import type { OwnerRecord } from '../domain/owner.ts';
import type { SquadView } from '../domain/squadState.ts';
import { readState } from '../ledger/history.ts';
import { registeredOwner } from '../ledger/ownerRecords.ts';
import { lineTo, probeOwner, type OwnerStatus } from '../ledger/ownership.ts';
import { ownerFolder } from '../ledger/squadHome.ts';
import { claimSquad } from './claimSquad.ts';
import { systemClock } from './clock.ts';
import { squadHome } from './home.ts';
import { checkWorkspace, openOwned, placeOf, type HostOptions, type OpenSquad } from './openSquad.ts';

export type Entered =
  | { readonly role: 'owner'; readonly squad: OpenSquad }
  | { readonly role: 'guest'; readonly squad: RemoteSquad; readonly owner: OwnerRecord };
export type Guest = Extract<Entered, { role: 'guest' }>;

export interface EnterOptions extends HostOptions {
  /** As a guest, gets whole events, none left out. */
  readonly everyEvent?: boolean;
}

/** An owner that closes says hello for some seconds more and takes no guests: it is asked so often. */
const TRIES = 100;
const TRY_PAUSE_MS = 200;

/** Rejects with a StorageError where the squad can be neither owned nor joined. */
export async function enterSquad(options: EnterOptions, signal: AbortSignal): Promise<Entered> {
  const place = await placeOf(options, signal);
  const home = squadHome();
  for (let tries = 1; ; tries++) {
    const serving = new Serving(options);
    const claimed = await claimSquad(
      {
        folder: ownerFolder(home, place.workspaceRoot),
        home,
        storage: place.storage,
        host: options.host,
        answer: async (request, trusted) => answerProcess(await serving.squad, request, trusted),
        attach: (request, line) => {
          serving.attach(request, line);
        },
      },
      options.aboutSilentOwner,
      signal,
    );
    if (claimed.kind === 'owned') {
      return { role: 'owner', squad: await serving.open(openOwned(place, claimed.ownership, options, signal)) };
    }
    const guest = await joinOwner(claimed.owner, options, signal);
    if (guest) {
      return guest;
    }
    if (tries === TRIES) {
      throw new SquadOwnedError(claimed.owner.pid, claimed.owner.host);
    }
    await systemClock.sleep(TRY_PAUSE_MS, signal);
  }
}

/** What is on disk of a workspace's squad, and who registered last. */
export interface SeenSquad {
  readonly role: 'onlooker';
  readonly state: SquadView;
  readonly owner: OwnerRecord;
  readonly status: OwnerStatus;
}

export interface LookOptions extends Pick<EnterOptions, 'workspace' | 'host' | 'logger' | 'everyEvent'> {
  /** Becomes a guest of an owner that lives. */
  readonly joins: boolean;
  /** Epoch of an owner that is known to be silent: it is not asked once more. */
  readonly silentEpoch?: number | undefined;
}

/** Looks without owning: a guest where `joins` allows it, an onlooker otherwise. Undefined where there never was a squad. */
export async function lookAtSquad(options: LookOptions, signal: AbortSignal): Promise<Guest | SeenSquad | undefined> {
  const owner = await registeredOwner(ownerFolder(squadHome(), await checkWorkspace(options.workspace)));
  if (!owner) {
    return undefined;
  }
  // One that is silent is known by that sooner than by an attach, which waits for a squad that is still opened.
  const status = owner.epoch === options.silentEpoch ? 'silent' : await probeOwner(owner, signal);
  const guest = status === 'alive' && options.joins ? await joinOwner(owner, options, signal) : undefined;
  return guest ?? { role: 'onlooker', state: await readState(owner.storage), owner, status };
}

/** Undefined when the owner goes or is gone, or does not answer in time. */
async function joinOwner(
  owner: OwnerRecord,
  { host, logger, everyEvent = false }: Pick<EnterOptions, 'host' | 'logger' | 'everyEvent'>,
  signal: AbortSignal,
): Promise<Guest | undefined> {
  const line = await lineTo(owner, signal);
  if (!line) {
    return undefined;
  }
  try {
    const { token } = owner;
    const squad = await RemoteSquad.attach({ line, token, host, everyEvent, clock: systemClock, logger }, signal);
    return { role: 'guest', squad, owner };
  } catch (error) {
    if (error instanceof OwnerLostError) {
      return undefined;
    }
    throw error;
  }
}

/** The owner's side of all lines: those that come while the squad is still opened wait for it. */
class Serving {
  readonly squad: Promise<OpenSquad>;
  private readonly options: EnterOptions;
  private readonly opened = Promise.withResolvers<OpenSquad>();
  private readonly lines = new Set<Disposable>();
  private isOver = false;

  constructor(options: EnterOptions) {
    this.options = options;
    this.squad = this.opened.promise;
    this.squad.catch(() => undefined);
  }

  attach(request: unknown, line: WindowLine): void {
    const { models, logger } = this.options;
    void this.squad.then(
      (squad) => {
        if (this.isOver) {
          line.close();
          return;
        }
        const served = serveWindow(line, request, { squad, models, clock: systemClock, logger });
        this.lines.add(served);
        line.onClose(() => this.lines.delete(served));
      },
      () => {
        line.close();
      },
    );
  }

  /** The squad once it is open; its end begins with the end of all lines. */
  async open(opening: Promise<OpenSquad>): Promise<OpenSquad> {
    try {
      const squad = await opening;
      const served: OpenSquad = {
        ...squad,
        dispose: async () => {
          this.isOver = true;
          for (const line of this.lines) {
            line.dispose();
          }
          await squad.dispose();
        },
      };
      this.opened.resolve(served);
      return served;
    } catch (error) {
      this.opened.reject(error);
      throw error;
    }
  }
}
