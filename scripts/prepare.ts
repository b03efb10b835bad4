// Brings what npm does not: git, a Chromium to drive, a real VS Code, and a sandbox where that can be. Quick when everything
// is there.
import { installEditorHost } from './installEditorHost.ts';
import { installIfPossible, installMissing, systemPrograms } from './systemPrograms.ts';

try {
  installMissing(systemPrograms.git, systemPrograms.chromium);
  installEditorHost();
  installIfPossible(systemPrograms.bubblewrap);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
