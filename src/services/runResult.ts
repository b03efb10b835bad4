/**
 * What becomes of a run's result: shown as a difference, put into the working tree, handed over as a branch, discarded,
 * and each taken back within the hour. Every step can be repeated after a crash and ends the same.
 */
import { HumanError, LedgerClosedError, messageOf } from '../domain/errors.ts';
import { PERSON, RUNTIME, type Actor } from '../domain/events.ts';
import type { AnswerDoor } from '../domain/approval.ts';
import type { DiffSummary } from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Ledger, Logger } from '../ports.ts';
import { applyChanges, planApply, undoApply } from '../workspace/applyChanges.ts';
import type { RunRepository } from '../workspace/repository.ts';
import { deleteBranch, makeBranch } from '../workspace/resultBranch.ts';
import type { RunFolders } from '../workspace/runFolders.ts';
import type { ResultTurns } from './resultTurns.ts';

/** Where a person clicked or typed. */
export type PersonDoor = Exclude<AnswerDoor, 'policy'>;

interface Decision {
  readonly actor: Actor;
  readonly door: AnswerDoor;
}

/** Nobody clicked: the run's options said so, or a crash is made up for. */
const BY_POLICY: Decision = { actor: RUNTIME, door: 'policy' };

export interface RunResultOptions {
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly turns: ResultTurns;
  readonly folders: RunFolders;
  readonly repositoryOf: (runId: string) => RunRepository;
}

export class RunResult {
  private readonly o: RunResultOptions;

  constructor(options: RunResultOptions) {
    this.o = options;
  }

  /** Undefined for a run that ended before it had a repository. */
  async diff(run: RunView, signal: AbortSignal): Promise<DiffSummary | undefined> {
    const { seed, integration } = run;
    return seed && integration
      ? {
          tree: integration.tree,
          files: await this.o.repositoryOf(run.id).changes(seed.tree, integration.tree, signal),
        }
      : undefined;
  }

  /** Does what the run's options say. Answers why it could not, or undefined when it is done; the result is kept then too. */
  async handOver(run: RunView): Promise<string | undefined> {
    const { atEnd } = run.options;
    if (atEnd.kind === 'keep' || run.outcome.kind === 'applied' || run.outcome.kind === 'branched') {
      return undefined;
    }
    return this.o.turns.take((signal) =>
      atEnd.kind === 'apply'
        ? this.putIntoTree(run, BY_POLICY, signal)
        : this.putOnBranch(run, atEnd.name, BY_POLICY, signal),
    );
  }

  /** Puts the result into the working tree. Rejects with a HumanError, having written nothing where a file conflicts. */
  apply(runId: string, door: PersonDoor): Promise<void> {
    return this.o.turns.act(runId, 'Apply', async (signal) => {
      const run = this.keptResult(runId);
      throwIfRefused(await this.putIntoTree(run, byPerson(door), signal));
    });
  }

  /** Makes a branch of the result in the developer's repository; the working tree stays as it is. */
  branch(runId: string, name: string, door: PersonDoor): Promise<void> {
    return this.o.turns.act(runId, 'Making a branch', async (signal) => {
      const run = this.keptResult(runId);
      throwIfRefused(await this.putOnBranch(run, name, byPerson(door), signal));
    });
  }

  /** Puts the run's folder into the trash for an hour. */
  discard(runId: string, door: PersonDoor): Promise<void> {
    return this.o.turns.act(runId, 'Discard', async () => {
      const run = this.endedRun(runId);
      refuseUnlessKept(run);
      if (run.outcome.kind === 'applying') {
        throw new HumanError('Some files of this result are in your working tree. Apply it whole or undo that first.');
      }
      await this.o.ledger.append({ type: 'run-discarded', runId, ...byPerson(door) }).durable;
      await this.o.folders.moveToTrash(runId);
    });
  }

  /** Takes the last *Apply*, branch or *Discard* back, within its hour. */
  undo(runId: string, door: PersonDoor): Promise<void> {
    return this.o.turns.act(runId, 'Undo', async (signal) => {
      const run = this.endedRun(runId);
      refuseSettled(run);
      const decision = byPerson(door);
      switch (run.outcome.kind) {
        case 'kept':
          throw new HumanError(
            'There is nothing to take back: the result of this run was neither applied nor made a branch nor discarded.',
          );
        case 'applied':
        case 'applying':
        case 'undoing':
          throwIfRefused(await this.takeOutOfTree(run, decision, signal));
          return;
        case 'branched':
          return this.takeBranchBack(run, run.outcome, decision, signal);
        case 'discarded':
          await this.o.ledger.append({ type: 'discard-undone', runId, ...decision }).durable;
          await this.o.folders.moveBack(runId);
      }
    });
  }

  /** A file before or after the run; undefined where that side has none. Rejects with a HumanError once they are gone. */
  async fileAt(runId: string, side: 'before' | 'after', path: string): Promise<Uint8Array | undefined> {
    return this.o.turns.take(async (signal) => {
      const run = this.run(runId);
      refuseSettled(run);
      if (run.outcome.kind === 'discarded') {
        throw new HumanError('The result of this run is in the trash. Take the discard back (Undo) to look at it.');
      }
      const { from, to } = treesOf(run);
      return isPlainPath(path)
        ? this.o.repositoryOf(runId).showFile(side === 'before' ? from : to, path, signal)
        : undefined;
    });
  }

  /** Finishes what a crash cut off in an ended run, or says why it cannot be. */
  async finishInterrupted(run: RunView, signal: AbortSignal): Promise<void> {
    const refused =
      run.outcome.kind === 'applying'
        ? await this.putIntoTree(run, BY_POLICY, signal)
        : run.outcome.kind === 'undoing'
          ? await this.takeOutOfTree(run, BY_POLICY, signal)
          : undefined;
    if (refused !== undefined) {
      this.o.logger.warn(`${run.id}: ${refused}`);
    }
  }

  private async putIntoTree(run: RunView, decision: Decision, signal: AbortSignal): Promise<string | undefined> {
    const request = { repository: this.o.repositoryOf(run.id), ...treesOf(run) };
    const stamp = { runId: run.id, actor: decision.actor };
    const interrupted = run.outcome.kind === 'applying';
    const plan = await planApply(request, signal);
    if (plan.conflicts.length > 0 && !interrupted) {
      return refusal(plan.conflicts, []);
    }
    const paths = [...plan.pending, ...plan.done];
    await this.o.ledger.append({ type: 'apply-started', ...stamp, door: decision.door, paths }).durable;
    const outcome = await this.attempt(signal, () => applyChanges(request, signal));
    const detail = describe(outcome, interrupted ? plan.done : []);
    const applied = outcome.kind === 'applied';
    await this.o.ledger.append({ type: 'apply-ended', ...stamp, applied, detail }).durable;
    return applied ? undefined : detail;
  }

  private async takeOutOfTree(run: RunView, decision: Decision, signal: AbortSignal): Promise<string | undefined> {
    const request = { repository: this.o.repositoryOf(run.id), ...treesOf(run) };
    const stamp = { runId: run.id, actor: decision.actor };
    const interrupted = run.outcome.kind !== 'applied';
    const plan = await planApply({ ...request, from: request.to, to: request.from }, signal);
    if (plan.conflicts.length > 0 && !interrupted) {
      return undoRefusal(plan.conflicts, []);
    }
    await this.o.ledger.append({ type: 'apply-undo-started', ...stamp, door: decision.door }).durable;
    const outcome = await this.attempt(signal, () => undoApply(request, signal));
    const detail = describeUndo(outcome, interrupted ? plan.done : []);
    const undone = outcome.kind === 'applied';
    await this.o.ledger.append({ type: 'apply-undo-ended', ...stamp, undone, detail }).durable;
    return undone ? undefined : detail;
  }

  /** A file that cannot be written is an outcome, which ends what was started; a closing host is not, and leaves it open. */
  private async attempt(signal: AbortSignal, write: () => ReturnType<typeof applyChanges>): Promise<Written> {
    this.o.ledger.assertOwner();
    try {
      return await write();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LedgerClosedError) {
        throw error;
      }
      return { kind: 'failed', error };
    }
  }

  private async putOnBranch(
    run: RunView,
    name: string,
    { actor, door }: Decision,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const message = `${run.objective}\n\nDevSquad-Run: ${run.id}\n`;
    const repository = this.o.repositoryOf(run.id);
    try {
      const { commit } = await makeBranch(
        { repository, name, tree: treesOf(run).to, message, at: run.startedAt },
        signal,
      );
      await this.o.ledger.append({ type: 'branch-created', runId: run.id, actor, name, commit, door }).durable;
      return undefined;
    } catch (error) {
      if (error instanceof HumanError && !(error instanceof LedgerClosedError)) {
        return `${messageOf(error)} The result is kept.`;
      }
      throw error;
    }
  }

  private async takeBranchBack(
    run: RunView,
    { name, commit }: { name: string; commit: string },
    { actor, door }: Decision,
    signal: AbortSignal,
  ): Promise<void> {
    const left = `The branch ${JSON.stringify(name)}`;
    const outcome = await deleteBranch({ repository: this.o.repositoryOf(run.id), name, commit }, signal);
    switch (outcome) {
      case 'moved':
        throw new HumanError(
          `${left} was moved since it was made, so it stays: somebody's commits are on it. Delete it yourself if you do not need them.`,
        );
      case 'checked-out':
        throw new HumanError(
          `${left} is checked out in a working tree, so it stays. Switch to another branch there and try again.`,
        );
      case 'deleted':
        await this.o.ledger.append({ type: 'branch-undone', runId: run.id, actor, door }).durable;
    }
  }

  private keptResult(runId: string): RunView {
    const run = this.endedRun(runId);
    refuseUnlessKept(run);
    if ((run.diff?.files.length ?? 0) === 0) {
      throw new HumanError('This run has no result to hand over: it changes no file. Nothing was changed.');
    }
    return run;
  }

  private endedRun(runId: string): RunView {
    const run = this.run(runId);
    if (run.phase !== 'ended') {
      throw new HumanError(
        'This run has not ended yet, so there is no result to decide about. Wait for it to end, and try again.',
      );
    }
    return run;
  }

  private run(runId: string): RunView {
    const run = this.o.ledger.state.runs[runId];
    if (!run) {
      throw new HumanError(`There is no run ${runId}. It may have been discarded more than an hour ago.`);
    }
    return run;
  }
}

type Written = Awaited<ReturnType<typeof applyChanges>> | { readonly kind: 'failed'; readonly error: unknown };

function byPerson(door: PersonDoor): Decision {
  return { actor: PERSON, door };
}

function throwIfRefused(refused: string | undefined): void {
  if (refused !== undefined) {
    throw new HumanError(refused);
  }
}

/** `applying` counts as kept: what a crash cut off and could not be finished may be tried again. */
function refuseUnlessKept({ outcome, settled }: RunView): void {
  switch (outcome.kind) {
    case 'kept':
    case 'applying':
      return;
    case 'applied':
    case 'undoing':
      throw new HumanError(
        settled
          ? 'The result of this run is in your working tree already, for more than an hour.'
          : 'The result of this run is in your working tree already. To do something else with it, take that back first (Undo).',
      );
    case 'branched':
      throw new HumanError(
        settled
          ? `The result of this run is on the branch ${outcome.name} already, for more than an hour.`
          : `The result of this run is on the branch ${outcome.name} already. To do something else with it, take that back first (Undo).`,
      );
    case 'discarded':
      throw new HumanError(
        'This run was discarded. To do something else with its result, take that back first (Undo).',
      );
  }
}

function refuseSettled({ settled }: RunView): void {
  if (settled) {
    throw new HumanError(
      'The hour in which this could be taken back is over, and DevSquad’s private copy is deleted. What is in your workspace stays as it is.',
    );
  }
}

function treesOf({ seed, integration }: RunView): { from: string; to: string } {
  if (!seed || !integration) {
    throw new HumanError('This run ended before it had a result. Nothing was changed.');
  }
  return { from: seed.tree, to: integration.tree };
}

/** A path that git's own syntax for trees would read as something else names no file. */
function isPlainPath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function describe(outcome: Written, before: readonly string[]): string {
  switch (outcome.kind) {
    case 'applied':
      return outcome.paths.length === 1 ? '1 file' : `${outcome.paths.length} files`;
    case 'conflict':
      return refusal(outcome.conflicts, [...before, ...outcome.written]);
    case 'failed':
      return `The result could not be put into your working tree whole: ${messageOf(outcome.error)} Some of its files may be there already; the result is kept. Mend the cause and apply it again: what is there is passed over.`;
  }
}

function describeUndo(outcome: Written, before: readonly string[]): string {
  switch (outcome.kind) {
    case 'applied':
      return outcome.paths.length === 1 ? '1 file' : `${outcome.paths.length} files`;
    case 'conflict':
      return undoRefusal(outcome.conflicts, [...before, ...outcome.written]);
    case 'failed':
      return `The result could not be taken out of your working tree whole: ${messageOf(outcome.error)} Some of its files may be back already. Mend the cause and undo it again: what is back is passed over.`;
  }
}

function refusal(conflicts: readonly string[], written: readonly string[]): string {
  const nothing = written.length === 0 ? 'so nothing was written' : `after these were written: ${written.join(', ')}`;
  return `You changed files meanwhile that the run changes too, ${nothing}: ${conflicts.join(', ')}. The result is kept. Put your changes aside and apply it again, or make a branch of it.`;
}

function undoRefusal(conflicts: readonly string[], written: readonly string[]): string {
  const nothing =
    written.length === 0 ? 'so nothing was taken back' : `after these were taken back: ${written.join(', ')}`;
  return `You changed files since they were applied, ${nothing}: ${conflicts.join(', ')}. Put your changes aside and undo it again.`;
}
