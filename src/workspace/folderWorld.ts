/** A folder as the rules see it. */
import type { World } from '../guardrails/guardrails.ts';
import { holdsSecrets, realPlace, textAt } from './realPlace.ts';

export function folderWorld(root: string): World {
  return {
    root,
    leadsTo: (named) => realPlace(root, named),
    textOf: (named) => textAt(root, named),
    holdsSecrets: (folder) => holdsSecrets(root, folder),
  };
}
