/** What a storage folder says happened: the newest good image of the state, and the journal behind it. Changes nothing on disk. */
import { messageOf, StorageError } from '../domain/errors.ts';
import { apply, emptyState, type SquadState } from '../domain/squadState.ts';
import { codeOf, systemFiles, type Files } from './files.ts';
import { BEGINNING, followJournal, type JournalChain, type Position, type Reign } from './journalChain.ts';
import { EventReader } from './recordEvents.ts';
import { readImage, type StateImage } from './stateImage.ts';
import { listStorage, type Damage, type ImageName, type StorageListing } from './storageFolder.ts';

export interface History {
  readonly state: SquadState;
  readonly position: Position;
  /** Owners whose records may still be asked for, in order. */
  readonly reigns: readonly Reign[];
  /** The image that was used; zeros where there was none. */
  readonly image: { readonly sequence: number; readonly bytes: number };
  /** What stands behind it in the journal. */
  readonly behindImage: { readonly segments: readonly string[]; readonly records: number; readonly bytes: number };
  readonly damage: readonly Damage[];
}

/** Records applied before others get a turn: some 10 ms. */
const SLICE = 500;
/** A living owner deletes segments that nobody needs; whoever looks at the same moment looks again. */
const MOST_LOOKS = 5;

/** Up to an event, or to the end. Rejects with a StorageError when a file cannot be read, is of a newer version, or what is there leads nowhere. */
export async function readHistory(files: Files, folder: string, upTo = Infinity): Promise<History> {
  for (let look = 1; ; look++) {
    try {
      return await readOnce(files, folder, upTo);
    } catch (error) {
      if (error instanceof StorageError) {
        throw error;
      }
      if (look === MOST_LOOKS || codeOf(error) !== 'ENOENT') {
        throw new StorageError(`The journal cannot be read: ${messageOf(error)}. Nothing was changed.`, {
          cause: error,
        });
      }
    }
  }
}

/** The state that a storage folder holds, for whoever does not own it. Rejects like `readHistory`. */
export async function readState(storage: string): Promise<SquadState> {
  return (await readHistory(systemFiles, storage)).state;
}

async function readOnce(files: Files, folder: string, upTo: number): Promise<History> {
  const listing = listStorage(files, folder);
  const { base, chain, damage } = findBase(files, folder, listing);
  const state = base.image.state;
  const reader = new EventReader(files, folder);
  let bytes = 0;
  let position = base.image.position;
  for (const [index, record] of chain.records.entries()) {
    if (record.sequence > upTo) {
      break;
    }
    if (index > 0 && index % SLICE === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    bytes += record.length;
    apply(state, reader.event(record, record.segment));
    position = record;
  }
  return {
    state,
    position: { epoch: position.epoch, sequence: position.sequence, crc: position.crc },
    reigns: [...base.image.reigns, ...chain.reigns].filter(({ from }) => from < position.sequence),
    image: { sequence: base.image.position.sequence, bytes: base.bytes },
    behindImage: { segments: chain.read, records: chain.records.length, bytes },
    damage: [...damage, ...chain.damage],
  };
}

interface Base {
  readonly image: StateImage;
  readonly bytes: number;
}

function findBase(
  files: Files,
  folder: string,
  { images, segments }: StorageListing,
): { base: Base; chain: JournalChain; damage: Damage[] } {
  const damage: Damage[] = [];
  const passedOver: ImageName[] = [];
  const spoil = (name: string, why: string): void => {
    damage.push({ name, finding: `${name} cannot be used: ${why}`, inUse: false });
  };
  for (const name of images) {
    const found = readImage(files, folder, name);
    switch (found.kind) {
      case 'newer':
        throw new StorageError(
          `${name.name} was written by a newer DevSquad. Update this one, and nothing is lost; nothing was changed.`,
        );
      case 'damaged':
        spoil(name.name, found.why);
        break;
      case 'old':
        passedOver.push(name);
        break;
      case 'good': {
        const chain = followJournal(files, folder, segments, found.image.position);
        if (chain.kind === 'chain') {
          return { base: found, chain, damage };
        }
        if (chain.kind === 'foreign') {
          spoil(name.name, 'it does not belong to this journal');
        }
      }
    }
  }
  const image: StateImage = { state: emptyState(), position: BEGINNING, reigns: [] };
  const chain = followJournal(files, folder, segments, image.position);
  if (chain.kind !== 'chain') {
    throw new StorageError('The journal cannot be read from its beginning.');
  }
  const [old] = passedOver;
  if (old && chain.end.sequence < old.sequence) {
    throw new StorageError(
      `${old.name} is of an older DevSquad, and this one cannot read it any more. Open the folder with the version before; nothing was changed.`,
    );
  }
  return { base: { image, bytes: 0 }, chain, damage };
}
