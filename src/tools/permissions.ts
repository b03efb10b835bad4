/** What the guardrails say of a tool's call, as the question to a person or the refusal to the model that follows. */
import { isDeclaredWrite } from './declaredWrites.ts';
import type { Guardrails } from '../guardrails/guardrails.ts';
import type { Permission, ToolContext } from './tool.ts';

const FREE: Permission = { kind: 'free' };

/** Free when it only looks, asked about otherwise; what destroys a machine is refused. */
export function permissionToRun(
  command: string,
  cwd: string,
  { workspace }: ToolContext,
  guardrails: Guardrails,
): Permission {
  const verdict = guardrails.command('bash', command, workspace, cwd);
  switch (verdict.kind) {
    case 'allow':
      return FREE;
    case 'ask':
      return { kind: 'ask', subject: { kind: 'command', command, cwd, why: verdict.reason } };
    case 'deny':
      return { kind: 'refuse', reason: `${verdict.reason} It is not run, whoever asks for it.` };
  }
}

/** Files that hold secrets are the person's to show. */
export function permissionToRead(path: string, { workspace }: ToolContext, guardrails: Guardrails): Permission {
  const verdict = guardrails.path('read', path, workspace);
  switch (verdict.kind) {
    case 'allow':
      return FREE;
    case 'ask':
      return { kind: 'ask', subject: { kind: 'read', path, why: verdict.reason, isProtected: true } };
    case 'deny':
      return refusePath(path, verdict.reason);
  }
}

/** Free for what the task declared, unless the file is one that decides what else runs, or holds secrets. */
export function permissionToWrite(path: string, context: ToolContext, guardrails: Guardrails): Permission {
  const verdict = guardrails.path('write', path, context.workspace);
  const plain = path.replace(/^\.\//, '');
  switch (verdict.kind) {
    case 'deny':
      return refusePath(path, verdict.reason);
    case 'ask':
      return { kind: 'ask', subject: { kind: 'write', path: plain, why: verdict.reason, isProtected: true } };
    case 'allow':
      return isDeclaredWrite(plain, context)
        ? FREE
        : { kind: 'ask', subject: { kind: 'write', path: plain, why: whatWasDeclared(context) } };
  }
}

function refusePath(path: string, reason: string): Permission {
  return {
    kind: 'refuse',
    reason: `${JSON.stringify(path)} cannot be used. ${reason} Use a path from the workspace root, such as "src/index.ts".`,
  };
}

function whatWasDeclared({ writes }: ToolContext): string {
  return writes.length > 0 ? `The task declared ${writes.join(', ')}.` : 'The task declared no files to write.';
}
