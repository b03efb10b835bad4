/** Keeps bookmarks in a JSON file. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The bookmarks of a file, oldest first; none where there is no such file yet. */
export function loadBookmarks(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}

/** Writes a second file first, so that a crash leaves the old bookmarks or the new ones, never half of them. */
export function saveBookmarks(file, bookmarks) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(bookmarks, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
