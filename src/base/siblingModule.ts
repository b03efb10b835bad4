/**
 * Where the module `name` of the same folder lies: a `.ts` source when run from sources, a `.js` file in the flat build
 * folder otherwise. For worker threads, which are started by file and not by import.
 */
export function siblingModule(metaUrl: string, name: string): URL {
  return new URL(`./${name}${metaUrl.endsWith('.ts') ? '.ts' : '.js'}`, metaUrl);
}
