/** The rehearsals and the sample workspace as they are shipped. */
import { cp, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRehearsals, type Rehearsal } from '../../src/llm/rehearsal.ts';

const MEDIA = join(import.meta.dirname, '../../media');

/** `media` is given where this file is part of a bundle. */
export function readRehearsals(media = MEDIA): Promise<Rehearsal[]> {
  return loadRehearsals((path) => readFile(join(media, 'rehearsals', path), 'utf8'));
}

/** A fresh copy of the sample workspace in a temporary folder. Whoever asks for it removes it. */
export async function copySampleWorkspace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devsquad-sample-'));
  await cp(join(MEDIA, 'sample-workspace'), folder, { recursive: true });
  return folder;
}
