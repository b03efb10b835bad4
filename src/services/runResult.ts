/** What becomes of a run's result: shown as a difference, put into the working tree, or handed over as a branch. */
import { HumanError, messageOf } from '../domain/errors.ts';
import type { DiffSummary } from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';
import { applyChanges, planApply } from '../workspace/applyChanges.ts';
import type { RunRepository } from '../workspace/repository.ts';
import { makeBranch } from '../workspace/resultBranch.ts';

const runtime = { kind: 'runtime' as const, id: 'runtime' };

export class RunResult {
  private readonly ledger: Ledger;
  private readonly repositoryOf: (runId: string) => RunRepository;

  constructor(options: { ledger: Ledger; repositoryOf: (runId: string) => RunRepository }) {
    this.ledger = options.ledger;
    this.repositoryOf = options.repositoryOf;
  }

  /** Undefined for a run that ended before it had a repository. */
  async diff(run: RunView, signal: AbortSignal): Promise<DiffSummary | undefined> {
    const { seed, integration } = run;
    return seed && integration
      ? {
          tree: integration.tree,
          files: await this.repositoryOf(run.id).changes(seed.tree, integration.tree, signal),
        }
      : undefined;
  }

  /** Does what the run's options say. Answers why it could not, or undefined when it is done; the result is kept then too. */
  async handOver(run: RunView, signal: AbortSignal): Promise<string | undefined> {
    switch (run.options.atEnd.kind) {
      case 'keep':
        return undefined;
      case 'apply':
        return this.apply(run, signal);
      case 'branch':
        return this.branch(run, run.options.atEnd.name, signal);
    }
  }

  private async apply(run: RunView, signal: AbortSignal): Promise<string | undefined> {
    const { from, to } = treesOf(run);
    const request = { repository: this.repositoryOf(run.id), from, to };
    const plan = await planApply(request, signal);
    if (plan.conflicts.length > 0) {
      return refusal(plan.conflicts, []);
    }
    const stamp = { runId: run.id, actor: runtime };
    await this.ledger.append({ type: 'apply-started', ...stamp, paths: [...plan.pending, ...plan.done] }).durable;
    const outcome = await applyChanges(request, signal);
    const applied = outcome.kind === 'applied';
    const detail = applied ? `${outcome.paths.length} files` : refusal(outcome.conflicts, outcome.written);
    await this.ledger.append({ type: 'apply-ended', ...stamp, applied, detail }).durable;
    return applied ? undefined : detail;
  }

  private async branch(run: RunView, name: string, signal: AbortSignal): Promise<string | undefined> {
    const message = `${run.objective}\n\nDevSquad-Run: ${run.id}\n`;
    try {
      const repository = this.repositoryOf(run.id);
      await makeBranch({ repository, name, tree: treesOf(run).to, message, at: run.startedAt }, signal);
    } catch (error) {
      if (error instanceof HumanError) {
        return `${messageOf(error)} The result is kept.`;
      }
      throw error;
    }
    await this.ledger.append({ type: 'branch-created', runId: run.id, actor: runtime, name }).durable;
    return undefined;
  }
}

function treesOf({ seed, integration }: RunView): { from: string; to: string } {
  if (!seed || !integration) {
    throw new HumanError('This run has no result.');
  }
  return { from: seed.tree, to: integration.tree };
}

function refusal(conflicts: readonly string[], written: readonly string[]): string {
  const nothing = written.length === 0 ? 'so nothing was written' : `after these were written: ${written.join(', ')}`;
  return `You changed files meanwhile that the run changes too, ${nothing}: ${conflicts.join(', ')}. The result is kept.`;
}
