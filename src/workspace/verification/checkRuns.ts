/** What an acceptance check runs on a tree, with the texts of that tree: what a person allows with a plan, and nothing else. */
import type { DeepReadonly } from '../../base/deepReadonly.ts';
import type { CheckRun } from '../../domain/approval.ts';
import { ToolRefusal } from '../../domain/errors.ts';
import type { AcceptanceCheck } from '../../domain/proof.ts';
import type { Guardrails } from '../../guardrails/guardrails.ts';
import { testCommandOf } from './testCommand.ts';

type TextOf = (path: string) => string | undefined;

/** Undefined where it is no command, or no test command is found. Throws a ToolRefusal for one that nobody runs. */
export function checkRunOf(
  check: DeepReadonly<AcceptanceCheck>,
  guardrails: Guardrails,
  textOf: TextOf,
): CheckRun | undefined {
  const command = commandOf(check, textOf);
  // A tree holds names and no links that lead on.
  const world = { root: '/', leadsTo: (path: string) => path, textOf, holdsSecrets: () => true };
  if (command === undefined) {
    return undefined;
  }
  const verdict = guardrails.command('bash', command, world);
  if (verdict.kind === 'deny') {
    throw new ToolRefusal(`The check "${command}" is not run, whoever asks for it. ${verdict.reason}`);
  }
  return { command, runs: guardrails.runs(command, world) };
}

function commandOf(check: DeepReadonly<AcceptanceCheck>, textOf: TextOf): string | undefined {
  switch (check.kind) {
    case 'command':
      return check.command;
    case 'tests': {
      const found = testCommandOf(textOf('package.json'), check.filter);
      return found.kind === 'found' ? found.command : undefined;
    }
    case 'files':
      return undefined;
  }
}

/** Works something out that asks for texts in one turn, as often as it asks for one that was not read yet. */
export async function readingAhead<T>(
  work: (textOf: TextOf) => T,
  read: (paths: readonly string[]) => Promise<readonly (string | undefined)[]>,
): Promise<T> {
  const known = new Map<string, string | undefined>();
  for (;;) {
    const missed = new Set<string>();
    const result = work((path) => {
      if (!known.has(path)) {
        missed.add(path);
      }
      return known.get(path);
    });
    if (missed.size === 0) {
      return result;
    }
    const paths = [...missed];
    const texts = await read(paths);
    paths.forEach((path, index) => known.set(path, texts[index]));
  }
}
