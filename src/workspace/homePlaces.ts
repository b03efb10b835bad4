/** What a sandboxed command may see of the folders that are hidden from it as a whole: a person's programs and own files. */
import { access, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';

/** Where programs lie that people install for themselves; their own secrets lie elsewhere. */
const TOOLCHAINS = [
  ...['.nvm', '.fnm', '.volta', '.asdf', '.pyenv', '.rbenv', '.rustup', '.sdkman', '.deno/bin', '.bun/bin'],
  ...['.cargo/bin', '.local/bin', '.local/share/fnm', '.local/share/mise', '.local/share/pnpm', '.local/lib'],
];

/** Those of the home folder and of the PATH that lie in `covered`, which holds the home folder. */
export async function placesToShow(home: string, covered: readonly string[]): Promise<string[]> {
  // A program mostly lies beside what it needs, but beside it may as well lie the person's whole home.
  const beside = (folder: string): string => {
    const above = path.dirname(folder);
    return covered.includes(above) || covered.includes(path.dirname(above)) ? folder : above;
  };
  const programs = (process.env['PATH'] ?? '').split(':').filter((folder) => isIn(folder, covered));
  return [
    ...(await visibleHome(home, covered)),
    ...TOOLCHAINS.map((folder) => path.join(home, folder)),
    ...programs.map(beside),
  ].filter((place) => isIn(place, covered));
}

/** Whether a place is one of the folders or lies in one, by its name. */
export function isIn(place: string, folders: readonly string[]): boolean {
  return folders.some((folder) => place === folder || place.startsWith(`${folder}/`));
}

export async function existing(places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    places.map((place) =>
      access(place).then(
        () => [place],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/**
 * What lies in a home folder and is no setting of a program: those hold what opens other doors. Whoever shows a link may show
 * what it leads to, so one that leads to a covered place is left out.
 */
async function visibleHome(home: string, covered: readonly string[]): Promise<string[]> {
  try {
    const entries = (await readdir(home, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
    const hidden = [...covered, await realpath(home)];
    const visible = entries.map(async (entry) => {
      const place = path.join(home, entry.name);
      return entry.isSymbolicLink() && isIn(await realpath(place).catch(() => home), hidden) ? [] : [place];
    });
    return (await Promise.all(visible)).flat();
  } catch {
    return [];
  }
}
