/**
 * The image of the tables on disk: `tables.sqlite`, an ordinary file that any SQLite tool opens, and `tables.json`, which
 * says what it holds. Nothing is read whose checksum does not fit: SQLite's own check misses most flipped bits.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writeInPieces } from '../../base/pieces.ts';

const describedSchema = z.strictObject({
  /** Of the last event that the image has. */
  lastSequence: z.number().int().min(0),
  schemaHash: z.string(),
  /** Of the image's bytes. */
  sha256: z.string(),
});
type Described = z.infer<typeof describedSchema>;

const IMAGE = 'tables.sqlite';
const DESCRIPTION = 'tables.json';
/** Behind the name of a file that is written but not yet in place. */
const UNFINISHED = '.new';

export interface ImageChoice {
  readonly folder: string;
  readonly schemaHash: string;
  /** The ledger's last event: an image of later ones comes from a ledger that is no more. */
  readonly ledgerSequence: number | undefined;
}

export interface ReadImage {
  /** Undefined where there is none to be trusted: the tables begin empty. */
  readonly image: Uint8Array | undefined;
  readonly lastSequence: number;
  /** Names of the files that were put aside because they are damaged. */
  readonly setAside: readonly string[];
}

/** Finds the image to begin with. Damaged files are renamed, never overwritten; those of another schema are left to be replaced. */
export function readImage({ folder, schemaHash, ledgerSequence = Infinity }: ImageChoice): ReadImage {
  mkdirSync(folder, { recursive: true });
  finishReplacing(folder);
  const found = readFitting(folder, DESCRIPTION);
  if (found === 'none') {
    return { image: undefined, lastSequence: 0, setAside: [] };
  }
  if (found === 'damaged' || found.described.lastSequence > ledgerSequence) {
    return { image: undefined, lastSequence: 0, setAside: setAside(folder) };
  }
  if (found.described.schemaHash !== schemaHash) {
    return { image: undefined, lastSequence: 0, setAside: [] };
  }
  return { image: found.image, lastSequence: found.described.lastSequence, setAside: [] };
}

/** Replaces the image; a crash at any point leaves the old pair, the new pair, or one that `readImage` puts right. */
export function writeImage(folder: string, image: Uint8Array, of: Omit<Described, 'sha256'>): void {
  const described: Described = { ...of, sha256: sha256Of(image) };
  writeDurably(join(folder, IMAGE + UNFINISHED), image);
  writeDurably(join(folder, DESCRIPTION + UNFINISHED), Buffer.from(JSON.stringify(described)));
  renameSync(join(folder, IMAGE + UNFINISHED), join(folder, IMAGE));
  syncFolder(folder);
  renameSync(join(folder, DESCRIPTION + UNFINISHED), join(folder, DESCRIPTION));
  syncFolder(folder);
}

/** A crash between the two renames left a new image under an old description. */
function finishReplacing(folder: string): void {
  const found = readFitting(folder, DESCRIPTION + UNFINISHED);
  if (typeof found === 'object') {
    renameSync(join(folder, DESCRIPTION + UNFINISHED), join(folder, DESCRIPTION));
  }
}

/** The image with the description of that name; 'damaged' when they do not belong together or one is missing. */
function readFitting(
  folder: string,
  description: string,
): { image: Uint8Array; described: Described } | 'none' | 'damaged' {
  const image = readIfThere(join(folder, IMAGE));
  const text = readIfThere(join(folder, description));
  if (!image && !text) {
    return 'none';
  }
  const described = text && parseDescribed(text.toString('utf8'));
  return image && described?.sha256 === sha256Of(image) ? { image, described } : 'damaged';
}

function parseDescribed(text: string): Described | undefined {
  try {
    return describedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function setAside(folder: string): string[] {
  const present = [IMAGE, DESCRIPTION].filter((name) => existsSync(join(folder, name)));
  let counter = 1;
  while ([IMAGE, DESCRIPTION].some((name) => existsSync(join(folder, `${name}.damaged-${counter}`)))) {
    counter++;
  }
  return present.map((name) => {
    const aside = `${name}.damaged-${counter}`;
    renameSync(join(folder, name), join(folder, aside));
    return aside;
  });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function writeDurably(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeInPieces([bytes], {
      write: (piece) => {
        writeFileSync(file, piece);
      },
      sync: () => {
        fdatasyncSync(file);
      },
    });
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a rename survive a power cut; Windows cannot open a folder and does not need it. */
function syncFolder(folder: string): void {
  if (process.platform !== 'win32') {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
