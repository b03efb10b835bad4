/** What a worktree has of protected files that nobody allowed, found in the very tree that would be handed in. */
import { createHash } from 'node:crypto';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { allowedTexts, type AllowedChange, type FileTexts, type HeldChange } from '../domain/fileChange.ts';
import { judgePath, judgeWrite } from '../guardrails/pathRules.ts';
import { isSecret } from '../guardrails/protectedFiles.ts';
import { shownText } from './realPlace.ts';
import type { RunRepository, WorktreeFile } from './repository.ts';
import { ABSENT_MODE } from './treeDiff.ts';

export const REGULAR = '100644';
export const EXECUTABLE = '100755';

/** What a person allowed, in order. */
export type AllowedByPath = ReadonlyMap<string, readonly DeepReadonly<AllowedChange>[]>;

export interface ProtectedChange {
  readonly change: HeldChange;
  /** What may stand there: what was allowed last, or what the task began with. */
  readonly before: Omit<WorktreeFile, 'path'>;
}

export async function protectedChanges(
  repository: RunRepository,
  worktree: string,
  { base, allowed }: { base: string; allowed: AllowedByPath },
  signal: AbortSignal,
): Promise<ProtectedChange[]> {
  const tree = await repository.treeOfWorktree(worktree, base, signal);
  const changes = (await repository.treeChanges(base, tree, signal)).filter(
    ({ path }) => judgePath('write', path, '').kind !== 'allow',
  );
  const found: ProtectedChange[] = [];
  for (const change of changes) {
    const [from, to] = await repository.readBlobs([change.fromObject, change.toObject], signal);
    const sides = { from: { mode: change.fromMode, bytes: from }, to: { mode: change.toMode, bytes: to } };
    const judged = judge(change.path, sides, allowed.get(change.path) ?? []);
    if (judged) {
      found.push(judged);
    }
  }
  return found;
}

type Side = Omit<WorktreeFile, 'path'>;

function judge(
  path: string,
  { from, to }: { from: Side; to: Side },
  allowed: readonly DeepReadonly<AllowedChange>[],
): ProtectedChange | undefined {
  const holdsSecrets = isSecret(path.split('/'));
  const [base, after] = [textOf(from), textOf(to)];
  const texts = allowedTexts(base, allowed);
  const isAllowed = holdsSecrets
    ? allowed.some(({ sha256 }) => sha256 !== undefined && sha256 === hashOf(to))
    : allowed.length > 0 && texts.includes(after) && (after !== undefined || to.mode === ABSENT_MODE);
  if (isAllowed) {
    return undefined;
  }
  const verdict = after === undefined ? judgePath('write', path, '') : judgeWrite(path, after, base, '');
  if (verdict.kind === 'allow') {
    return undefined;
  }
  const last = holdsSecrets ? base : texts.at(-1);
  return {
    change: {
      path,
      why: verdict.reason,
      ...(holdsSecrets || !isShown(from) || !isShown(to) ? {} : { texts: shownTexts(last, after) }),
      ...(to.mode === EXECUTABLE ? { isExecutable: true } : {}),
    },
    before: last === base ? from : sideOf(last, from.mode),
  };
}

function shownTexts(before: string | undefined, after: string | undefined): FileTexts {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

function sideOf(text: string | undefined, mode: string): Side {
  return { mode: mode === EXECUTABLE ? mode : REGULAR, bytes: text === undefined ? undefined : Buffer.from(text) };
}

/** False for a link, for something else than text, and for too much of it. */
function isShown(side: Side): boolean {
  return side.mode === ABSENT_MODE || textOf(side) !== undefined;
}

function textOf({ mode, bytes }: Side): string | undefined {
  return bytes && (mode === REGULAR || mode === EXECUTABLE) ? shownText(bytes) : undefined;
}

function hashOf({ bytes }: Side): string | undefined {
  return bytes && createHash('sha256').update(bytes).digest('hex');
}
