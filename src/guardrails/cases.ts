/** Cases to be judged, as they are written down by whoever tries the guardrails. */
import * as z from 'zod';
import { SHELLS } from './commandRisk.ts';
import type { Guardrails, World } from './guardrails.ts';
import type { Policy } from './policy.ts';
import type { Verdict } from './verdict.ts';

const casesSchema = z.looseObject({
  /** The person's own lists; without them nothing is on any. */
  context: z
    .looseObject({
      command_allow_list: z.array(z.string()).default([]),
      url_allow_list: z.array(z.string()).default([]),
    })
    .default({ command_allow_list: [], url_allow_list: [] }),
  cases: z.array(z.looseObject({ id: z.string(), group: z.string(), input: z.unknown() })),
});

const INPUTS = {
  commands: z.looseObject({ shell: z.enum(SHELLS), command: z.string() }),
  paths: z.looseObject({ op: z.enum(['read', 'write', 'delete', 'list']), path: z.string() }),
  urls: z.looseObject({ method: z.string(), url: z.string() }),
  protected_writes: z.looseObject({ path: z.string(), content: z.string() }),
};

export interface Case {
  readonly id: string;
  readonly group: string;
  readonly input: unknown;
}

/** Throws a SyntaxError or a ZodError for what is no list of cases. */
export function parseCases(json: string): { policy: Policy; cases: readonly Case[] } {
  const { context, cases } = casesSchema.parse(JSON.parse(json));
  return { policy: { commands: context.command_allow_list, hosts: context.url_allow_list }, cases };
}

export function judgeCase(
  guardrails: Guardrails,
  { group, input }: Case,
  world: World,
): { verdict: Verdict['kind'] | 'unsupported'; reason: string } {
  try {
    switch (group) {
      case 'commands': {
        const { shell, command } = INPUTS.commands.parse(input);
        return answerOf(guardrails.command(shell, command, world));
      }
      case 'paths': {
        const { op, path } = INPUTS.paths.parse(input);
        return answerOf(guardrails.path(op, path, world));
      }
      case 'urls': {
        const { method, url } = INPUTS.urls.parse(input);
        return answerOf(guardrails.url(method, url));
      }
      case 'protected_writes': {
        const { path, content } = INPUTS.protected_writes.parse(input);
        return answerOf(guardrails.write(path, content, world.textOf(path), world));
      }
      default:
        return { verdict: 'unsupported', reason: `Nothing here judges ${group}.` };
    }
  } catch (error) {
    if (!(error instanceof z.ZodError)) {
      throw error;
    }
    // What does not even have the shape of a request is not carried out.
    const what = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    return { verdict: 'deny', reason: `It is no request of this kind (${what}).` };
  }
}

function answerOf({ kind, reason }: Verdict): { verdict: Verdict['kind']; reason: string } {
  return { verdict: kind, reason };
}
