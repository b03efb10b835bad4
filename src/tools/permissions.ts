/** What the guardrails say of a tool's call, as the question to a person or the refusal to the model that follows. */
import { createHash } from 'node:crypto';
import type { CommandReach, RequestSubject } from '../domain/approval.ts';
import { LONGEST_SHOWN } from '../domain/fileChange.ts';
import { messageOf } from '../domain/errors.ts';
import { READ_BOTH } from '../domain/taint.ts';
import { isDeclaredWrite } from './declaredWrites.ts';
import type { Guardrails } from '../guardrails/guardrails.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';
import type { Permission, ToolContext } from './tool.ts';

const FREE: Permission = { kind: 'free' };

/** Free when it only looks, asked about otherwise; what destroys a machine is refused. */
export function permissionToRun(
  { command, cwd, network }: { command: string; cwd: string; network: boolean },
  context: ToolContext,
  guardrails: Guardrails,
): Permission {
  const { workspace } = context;
  const verdict = guardrails.command('bash', command, workspace, cwd);
  const why = verdict.kind === 'allow' && network ? 'It wants to reach the network.' : verdict.reason;
  if (verdict.kind === 'deny') {
    return { kind: 'refuse', reason: `${why} It is not run, whoever asks for it.` };
  }
  if (verdict.kind === 'allow' && !network) {
    return FREE;
  }
  const subject = commandSubject({ command, cwd, why, network }, context, guardrails);
  const isProtected = verdict.kind === 'ask' && verdict.isProtected;
  return { kind: 'ask', subject: isProtected ? { ...subject, isProtected } : subject };
}

/** A command as a person is asked about it. */
function commandSubject(
  { command, cwd, why, network }: { command: string; cwd: string; why: string; network: boolean },
  context: Pick<ToolContext, 'workspace' | 'couldCarryAway'>,
  guardrails: Guardrails,
): RequestSubject & { kind: 'command' } {
  const { workspace } = context;
  const reach = unknownReach(context, network);
  const runs = guardrails.runs(command, workspace, cwd);
  const onFiles = network ? undefined : guardrails.onFiles(command, workspace, cwd);
  return {
    kind: 'command',
    command,
    cwd,
    why: reach.isProtected ? `${why} ${READ_BOTH}` : why,
    ...(runs.length > 0 ? { runs } : {}),
    ...(onFiles ? { onFiles } : {}),
    ...reach,
  };
}

/** What goes out, and what is read, by a command of which nobody knows what it does. */
export function unknownReach(
  { workspace, couldCarryAway }: Pick<ToolContext, 'workspace' | 'couldCarryAway'>,
  network: boolean,
): CommandReach & { mayReadSecrets?: true; isProtected?: true } {
  const reach = reachOf(workspace, network);
  return {
    ...reach,
    ...(workspace.holdsSecrets('.') ? { mayReadSecrets: true } : {}),
    ...(couldCarryAway && (reach.network || !reach.isSandboxed) ? { isProtected: true } : {}),
  };
}

/** What a command reaches: a sandbox keeps the network from it unless that is granted. */
export function reachOf({ isSandboxed }: Pick<TaskWorkspace, 'isSandboxed'>, network: boolean): CommandReach {
  return isSandboxed ? { isSandboxed, ...(network ? { network } : {}) } : {};
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

/**
 * Free for what the task declared, unless the file is one that decides what else runs, or holds secrets. `change` makes the
 * file's new text of the old one; it may throw a ToolRefusal, which is told unless that would tell of a secret.
 */
export function permissionToWrite(
  path: string,
  change: (before: string | undefined) => string,
  context: ToolContext,
  guardrails: Guardrails,
): Permission {
  const { workspace } = context;
  const byName = guardrails.path('write', path, workspace);
  if (byName.kind === 'deny') {
    return refusePath(path, byName.reason);
  }
  const plain = path.replace(/^\.\//, '');
  const before = workspace.textOf(path);
  if (guardrails.path('read', path, workspace).kind !== 'allow') {
    return {
      kind: 'ask',
      subject: { ...secretWrite(change, before), path: workspace.leadsTo(path) ?? plain, why: byName.reason },
    };
  }
  let after: string;
  try {
    after = change(before);
  } catch (error) {
    return { kind: 'refuse', reason: messageOf(error) };
  }
  const verdict = guardrails.write(path, after, before, workspace);
  if (verdict.kind === 'deny') {
    return refusePath(path, verdict.reason);
  }
  if (verdict.kind === 'allow' && isDeclaredWrite(plain, context)) {
    return FREE;
  }
  const isShown = after.length <= LONGEST_SHOWN;
  if (verdict.kind === 'ask' && !isShown) {
    return { kind: 'refuse', reason: `${plain} is protected, and this is too long to be shown to the developer.` };
  }
  const subject = {
    kind: 'write' as const,
    path: plain,
    ...(isShown ? { texts: { ...(before === undefined ? {} : { before }), after } } : {}),
  };
  return {
    kind: 'ask',
    subject:
      verdict.kind === 'ask'
        ? // Where it really lies, as what is handed in is looked at.
          { ...subject, path: workspace.leadsTo(path) ?? plain, why: verdict.reason, isProtected: true }
        : { ...subject, why: whatWasDeclared(context) },
  };
}

/** What a file with secrets has now is written down nowhere, and whether an edit would fit is not told either. */
function secretWrite(change: (before: string | undefined) => string, before: string | undefined) {
  const attempt = (from: string | undefined): string | undefined => {
    try {
      return change(from);
    } catch {
      return undefined;
    }
  };
  const [after, whole] = [attempt(before), attempt(undefined)];
  return {
    kind: 'write' as const,
    isProtected: true as const,
    ...(whole === undefined ? {} : { texts: { after: whole } }),
    ...(after === undefined ? {} : { sha256: createHash('sha256').update(after).digest('hex') }),
  };
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
