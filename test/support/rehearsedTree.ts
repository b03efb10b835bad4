/**
 * The tree that the rehearsal leads to, undisturbed: what all other ways are compared with. Within one `npm test` it is
 * rehearsed once; DEVSQUAD_REHEARSED_TREE names the file that keeps it.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** `rehearse` answers the tree of a whole rehearsal; it is asked where nobody has rehearsed before. */
export async function rehearsedTree(rehearse: () => Promise<string>): Promise<string> {
  const file = process.env['DEVSQUAD_REHEARSED_TREE'];
  if (file !== undefined && existsSync(file)) {
    return readFileSync(file, 'utf8');
  }
  const tree = await rehearse();
  if (file !== undefined && tree !== '') {
    // Whole or not there at all: others look for it at the same time.
    writeFileSync(`${file}.${process.pid}`, tree);
    renameSync(`${file}.${process.pid}`, file);
  }
  return tree;
}
