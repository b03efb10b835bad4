/** This user's folders on this machine. */
import os from 'node:os';
import path from 'node:path';
import type { SquadHome } from '../ledger/squadHome.ts';

export function squadHome(): SquadHome {
  const uid = process.getuid?.() ?? 0;
  const candidates = [process.env['XDG_RUNTIME_DIR'], os.tmpdir(), '/tmp'].filter((folder) => folder !== undefined);
  return {
    folder: path.join(os.homedir(), '.devsquad'),
    runtimeFolders: candidates.map((folder) => path.join(folder, `devsquad-${uid}`)),
  };
}
