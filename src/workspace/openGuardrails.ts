/** The guardrails of this process; the grammar of the shell is read once. */
import { readFile } from 'node:fs/promises';
import { HumanError, messageOf } from '../domain/errors.ts';
import { Guardrails } from '../guardrails/guardrails.ts';
import { BUILT_IN_POLICY, type Policy } from '../guardrails/policy.ts';
import { ShellSyntax } from '../guardrails/shellSyntax.ts';

let syntax: Promise<ShellSyntax> | undefined;

/** Rejects with a HumanError when the grammar is not there: without it nothing may run. */
export async function openGuardrails(policy: Policy = BUILT_IN_POLICY): Promise<Guardrails> {
  syntax ??= loadSyntax().catch((cause: unknown) => {
    // It may be there the next time.
    syntax = undefined;
    throw new HumanError(
      `The grammar by which commands are judged cannot be read (${messageOf(cause)}), and without it nothing runs. Install DevSquad again.`,
      { cause },
    );
  });
  return new Guardrails(await syntax, policy);
}

async function loadSyntax(): Promise<ShellSyntax> {
  const [engine, grammar] = await Promise.all([
    readFile(placeOf('web-tree-sitter/web-tree-sitter.wasm')),
    readFile(placeOf('tree-sitter-bash/tree-sitter-bash.wasm')),
  ]);
  return ShellSyntax.load({ engine, grammar });
}

/** Beside the bundle, and in its package when the sources run. */
function placeOf(file: string): URL {
  return import.meta.url.endsWith('.ts')
    ? new URL(import.meta.resolve(file))
    : new URL(`./${file.slice(file.indexOf('/') + 1)}`, import.meta.url);
}
