/** Which globs are taken from a model: some keep an engine busy for minutes on a single long name. */

const MOST_IN_A_NAME = 3;
const MOST_FOLDERS = 2;

/** Why a glob is not matched, as a sentence for the model; undefined where it is. */
export function whyCostlyGlob(glob: string): string | undefined {
  const names = glob.split('/');
  if (/[*+?!@]\(/.test(glob)) {
    return `The glob ${JSON.stringify(glob)} has groups with signs before them; write {one,other} instead.`;
  }
  if (names.some((name) => name !== '**' && (name.match(/\*/g)?.length ?? 0) > MOST_IN_A_NAME)) {
    return `The glob ${JSON.stringify(glob)} has more than ${MOST_IN_A_NAME} * in one name; write less of them.`;
  }
  return names.filter((name) => name === '**').length > MOST_FOLDERS
    ? `The glob ${JSON.stringify(glob)} has more than ${MOST_FOLDERS} **; write less of them.`
    : undefined;
}
