// Brings what npm does not: git, a Chromium to drive, and a real VS Code. Quick when everything is there.
import { installEditorHost } from './installEditorHost.ts';
import { installMissing, systemPrograms } from './systemPrograms.ts';

try {
  installMissing(systemPrograms.git, systemPrograms.chromium);
  installEditorHost();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
