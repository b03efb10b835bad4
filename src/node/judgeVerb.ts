/** `devsquad judge`: what the guardrails say of cases, one line each. Asks nobody, runs nothing and changes nothing. */
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { messageOf, UsageError } from '../domain/errors.ts';
import { judgeCase, parseCases } from '../guardrails/cases.ts';
import type { World } from '../guardrails/guardrails.ts';
import { policyOf } from '../domain/policy.ts';
import { readWorkspacePolicy } from '../host/workspacePolicy.ts';
import { checkWorkspace } from '../host/openSquad.ts';
import { openGuardrails } from '../workspace/openGuardrails.ts';
import { holdsSecrets, realPlace, textAt } from '../workspace/realPlace.ts';
import type { CommandLine } from './commandLine.ts';
import { jsonLine } from './jsonLine.ts';

/** How the cases name the workspace, wherever it really is. */
const ROOT = '/ws';

/** Exit code 0 when each case has an answer, whichever. Throws a UsageError for what is no list of cases. */
export async function judge({ workspace }: CommandLine): Promise<number> {
  if (process.stdin.isTTY) {
    throw new UsageError('The cases come from standard input: devsquad judge --workspace DIR < cases.json.');
  }
  const folder = await checkWorkspace(workspace);
  const { policy, cases } = parse(await text(process.stdin));
  // What the repository makes stricter holds here as well.
  const stricter = policyOf({ workspacePolicy: await readWorkspacePolicy(folder) });
  const guardrails = (await openGuardrails(policy)).under(stricter);
  const world = worldIn(folder);
  for (const each of cases) {
    process.stdout.write(jsonLine({ id: each.id, ...judgeCase(guardrails, each, world) }));
  }
  return 0;
}

function parse(json: string): ReturnType<typeof parseCases> {
  try {
    return parseCases(json);
  } catch (cause) {
    throw new UsageError(
      `Standard input must be {"context":{…},"cases":[{"id","group","input"}…]}: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

function worldIn(folder: string): World {
  const inFolder = (named: string): string =>
    named === ROOT || named.startsWith(`${ROOT}/`) ? path.join(folder, named.slice(ROOT.length)) : named;
  return {
    root: ROOT,
    leadsTo: (named) => realPlace(folder, inFolder(named)),
    textOf: (named) => textAt(folder, inFolder(named)),
    holdsSecrets: (named) => holdsSecrets(folder, path.relative(folder, path.resolve(folder, inFolder(named)))),
  };
}
