/** Where a run's folder stands in the squad's storage: among the runs, or in the trash as long as a discard can be undone. */
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, removeTree } from './folders.ts';

export class RunFolders {
  private readonly storage: string;

  constructor(storage: string) {
    this.storage = storage;
  }

  pathOf(runId: string): string {
    return path.join(this.storage, 'runs', runId);
  }

  /** Harmless when it is there already, or when the run never had a folder. */
  async moveToTrash(runId: string): Promise<void> {
    await move(this.pathOf(runId), this.trashOf(runId));
  }

  /** Harmless when it is back already. */
  async moveBack(runId: string): Promise<void> {
    await move(this.trashOf(runId), this.pathOf(runId));
  }

  async remove(runId: string): Promise<void> {
    await removeTree(this.pathOf(runId));
    await removeTree(this.trashOf(runId));
  }

  private trashOf(runId: string): string {
    return path.join(this.storage, 'trash', runId);
  }
}

/** Both lie in one storage folder, so this is one step: the folder is here or there, never half. */
async function move(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (!isMissing(error)) {
      throw error;
    }
  }
}
