import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The first of `names` that stands in a folder of PATH as an executable file, with that folder. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
}

/** Chromium or Chrome: the one `CHROMIUM` names, else the first in PATH. */
export function findChromium(): string | undefined {
  return (
    process.env['CHROMIUM'] ?? findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
