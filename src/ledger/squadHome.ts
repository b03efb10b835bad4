/** Where a user's squads are registered on this machine. Small, because every start of an editor looks here. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';

/** Folders of this user and machine; the host knows them. */
export interface SquadHome {
  /** `~/.devsquad` */
  readonly folder: string;
  /** Where sockets may lie, best first. */
  readonly runtimeFolders: readonly string[];
}

/** The squad's key: the same for every window and terminal on the same folder, however they spell its path. */
export function squadKey(workspaceRoot: string): string {
  return createHash('sha256').update(realpathSync(workspaceRoot)).digest('hex').slice(0, 32);
}

export function ownerFolder(home: SquadHome, workspaceRoot: string): string {
  return path.join(home.folder, 'owners', squadKey(workspaceRoot));
}
