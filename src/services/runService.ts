/**
 * A run from start to end. One look at the living state says what should be under way; whatever is not, is begun. A
 * restart therefore needs no path of its own: it looks, and goes on.
 */
import { rulesAt } from '../domain/grants.ts';
import { HumanError, LedgerClosedError, messageOf, StoppedError } from '../domain/errors.ts';
import { PERSON, RUNTIME } from '../domain/events.ts';
import { PLANNING_TASK_KEY } from '../domain/plan.ts';
import { describeRefusal } from '../domain/budget.ts';
import { budgetOf } from '../domain/envelopes.ts';
import {
  isUnfinished,
  requirePrices,
  usageOf,
  type DiffSummary,
  type RunOptions,
  type RunStatus,
} from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import { isAssigned } from '../domain/task.ts';
import type { BudgetKeeper } from '../budget/budgetKeeper.ts';
import type { Clock, Ledger, Logger } from '../ports.ts';
import type { RunFiles } from '../workspace/runFiles.ts';
import type { AgentFactory } from './agentFactory.ts';
import type { AgentPool } from './agentPool.ts';
import type { AgentSupervisor } from './agentSupervisor.ts';
import { handBack } from './handBack.ts';
import type { PersonDoor } from './runResult.ts';
import type { RunResults } from './runResults.ts';
import { missingTasks, planningTask, waitsForRaise, whatEndsWith } from './runTasks.ts';
import { isFinished, schedule } from './taskScheduler.ts';
import { appendToTask, type TaskWork, type Worker } from './taskWork.ts';
import { lastMoment, type Winding } from './windDown.ts';

export interface RunServiceOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly results: RunResults;
  readonly filesOf: (runId: string) => RunFiles;
  readonly taskWork: TaskWork;
  readonly factory: AgentFactory<Worker>;
  readonly pool: AgentPool;
  readonly budget: BudgetKeeper;
  readonly supervisor: AgentSupervisor;
}

const CLOCK_INTERVAL_MS = 5000;

interface Drive extends Winding {
  readonly stop: AbortController;
  /** Nothing else begins; what is under way may end. */
  readonly wind: AbortController;
  readonly workers: Map<string, Promise<void>>;
}

export class RunService {
  private readonly o: RunServiceOptions;
  private readonly drives = new Map<string, Drive>();

  constructor(options: RunServiceOptions) {
    this.o = options;
  }

  /** Makes up for what a crash left of runs that have ended. Called once, before anything else. Never rejects. */
  open(): Promise<void> {
    return this.o.results.open();
  }

  /** Begins a run; resolves with its id once the start is durable. Rejects with a UsageError where money is limited and a price unknown. */
  async start(objective: string, options: RunOptions): Promise<string> {
    requirePrices(options);
    const runId = `run-${this.o.clock.newId()}`;
    // Those that are saved here, and none that whoever starts it brings along.
    const rules = rulesAt(this.o.ledger.state.standing.rules, this.o.clock.now());
    const begun = { ...options, rules };
    await this.o.ledger.append({ type: 'run-started', runId, actor: PERSON, objective, options: begun }).durable;
    this.drive(runId);
    return runId;
  }

  /** Takes every unfinished run up again, stopped and paused ones too, and brings back agents in error; answers the ids. */
  resumeAll(door: 'terminal' | 'editor'): string[] {
    this.o.supervisor.recoverAll(PERSON);
    const unfinished = Object.values(this.o.ledger.state.runs).filter(({ phase }) => phase !== 'ended');
    for (const run of unfinished) {
      if (run.stopped) {
        this.o.ledger.append({ type: 'run-continued', runId: run.id, actor: PERSON, door });
      }
      if (run.paused) {
        this.o.ledger.append({ type: 'run-resumed', runId: run.id, actor: PERSON });
      }
      this.drive(run.id);
    }
    return unfinished.map(({ id }) => id);
  }

  /** Takes up what a crash or a reload interrupted; what a person stopped stays stopped. Answers the runs' ids; `only`: of that one. */
  resumeInterrupted(only?: string): string[] {
    const interrupted = Object.values(this.o.ledger.state.runs).filter(
      (run) => isUnfinished(run) && !run.stopped && (only === undefined || run.id === only),
    );
    for (const { id } of interrupted) {
      this.drive(id);
    }
    return interrupted.map(({ id }) => id);
  }

  /** Calls under way end; no other one and no task begins until `resume`. Requests can be answered meanwhile. */
  async pause(runId: string): Promise<void> {
    const run = this.run(runId);
    if (run.phase === 'ended') {
      throw new HumanError('This run has ended; there is nothing to pause.');
    }
    if (!run.paused) {
      await this.o.ledger.append({ type: 'run-paused', runId, actor: PERSON }).durable;
    }
  }

  /** Goes on with a run that was paused, or stopped, or whose host went away. */
  async resume(runId: string, door: PersonDoor): Promise<void> {
    const run = this.run(runId);
    if (run.phase === 'ended') {
      throw new HumanError('This run has ended; there is nothing to resume. Start another one.');
    }
    if (run.stopped) {
      this.o.ledger.append({ type: 'run-continued', runId, actor: PERSON, door });
    }
    if (run.paused) {
      this.o.ledger.append({ type: 'run-resumed', runId, actor: PERSON });
    }
    await this.o.ledger.flushed();
    this.drive(runId);
  }

  /**
   * Stops every run, or one: calls and processes end, nothing is lost, `resumeAll` takes them up again. `in order` gives
   * calls under way a moment to end.
   */
  async stopAll(door: PersonDoor, only?: string, how: 'at once' | 'in order' = 'at once'): Promise<string[]> {
    const driven = [...this.drives].filter(([runId]) => only === undefined || runId === only);
    const stopped = driven.map(([runId, drive]) => {
      if (this.o.ledger.state.runs[runId]?.phase !== 'ended') {
        this.o.ledger.append({ type: 'run-stopped', runId, actor: PERSON, door });
      }
      return drive;
    });
    await this.endDrives(stopped, 'The run was stopped.', how);
    await this.o.ledger.flushed();
    return stopped.map(({ runId }) => runId);
  }

  /** Puts the result of an ended run into the working tree. This and the next four reject with a HumanError. */
  apply(runId: string, door: PersonDoor): Promise<void> {
    return this.o.results.apply(runId, door);
  }

  /** Makes a branch of the result of an ended run. */
  branch(runId: string, name: string, door: PersonDoor): Promise<void> {
    return this.o.results.branch(runId, name, door);
  }

  /** Puts an ended run aside; an hour later nothing of it is left. */
  discard(runId: string, door: PersonDoor): Promise<void> {
    return this.o.results.discard(runId, door);
  }

  /** Takes the last of the three above back, within an hour. */
  undo(runId: string, door: PersonDoor): Promise<void> {
    return this.o.results.undo(runId, door);
  }

  /** A file before or after the run, from the workspace root; undefined where that side has none. */
  fileAt(runId: string, side: 'before' | 'after', path: string): Promise<Uint8Array | undefined> {
    return this.o.results.fileAt(runId, side, path);
  }

  /**
   * Lets go of all work at the end of the process: calls have a moment to end, what was given to an agent and not begun is
   * handed back, and the rest stays with its agent, who takes it up from the ledger at the next start.
   */
  async release(): Promise<void> {
    await this.endDrives([...this.drives.values()], 'The host is closing.', 'in order');
    await this.o.results.close();
  }

  /** Resolves when no run is being driven any more. Never rejects: a run that breaks ends as failed. */
  async idle(): Promise<void> {
    await Promise.all([...this.drives.values()].map(({ done }) => done));
  }

  private async endDrives(drives: readonly Drive[], reason: string, how: 'at once' | 'in order'): Promise<void> {
    if (how === 'in order') {
      for (const { wind } of drives) {
        wind.abort(new StoppedError(reason));
      }
      await lastMoment(drives, this.o.ledger, this.o.clock);
    }
    for (const { stop } of drives) {
      stop.abort(new StoppedError(reason));
    }
    await Promise.all(drives.map(({ done }) => done));
  }

  /** Harmless for a run that is driven already; one that is being stopped is driven again when it stands still. */
  private drive(runId: string): void {
    const before = this.drives.get(runId);
    if (before && !before.stop.signal.aborted) {
      return;
    }
    const [stop, wind] = [new AbortController(), new AbortController()];
    const workers = new Map<string, Promise<void>>();
    const done = (before?.done ?? Promise.resolve())
      .then(() => this.driveToEnd(runId, workers, stop.signal, wind.signal))
      .catch((error: unknown) => {
        if (!stop.signal.aborted && !wind.signal.aborted) {
          this.o.logger.error(`Run ${runId}: ${messageOf(error)}`, error);
          this.failRun(runId, error);
        }
      })
      .then(() => this.o.results.tidy(runId))
      .finally(() => {
        if (this.drives.get(runId)?.stop === stop) {
          this.drives.delete(runId);
        }
      });
    this.drives.set(runId, { runId, stop, wind, workers, done });
  }

  private async driveToEnd(
    runId: string,
    workers: Map<string, Promise<void>>,
    signal: AbortSignal,
    winding: AbortSignal,
  ): Promise<void> {
    await this.prepare(runId, signal);
    const over = new AbortController();
    const working = AbortSignal.any([signal, over.signal]);
    const ticking = this.tick(runId, working);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (!this.o.ledger.isOpen) {
          throw new LedgerClosedError('The ledger closed while the run was at work.');
        }
        if (winding.aborted && workers.size === 0) {
          this.handBackUnbegun(runId);
          winding.throwIfAborted();
        }
        const changed = this.nextChange(runId, AbortSignal.any([working, winding]));
        if (!winding.aborted) {
          this.advance(runId, workers, working, winding);
        }
        if (isFinished(this.run(runId)) || this.budgetIsReached(runId)) {
          break;
        }
        await Promise.race(winding.aborted ? workers.values() : [changed, ...workers.values()]);
      }
    } finally {
      over.abort(new StoppedError('The run is over.'));
      await Promise.allSettled([...workers.values(), ticking]);
    }
    await this.end(runId, signal);
  }

  /** What must be true before anything runs: the repository stands where the ledger says, nothing of a dead host is left. */
  private async prepare(runId: string, signal: AbortSignal): Promise<void> {
    const run = this.run(runId);
    const files = this.o.filesOf(runId);
    this.o.budget.settleInterrupted(runId);
    await files.endSurvivors();
    if (!run.seed) {
      const seed = await files.seed({ at: run.startedAt }, signal);
      this.o.ledger.append({ type: 'repository-seeded', runId, actor: RUNTIME, seed });
    } else if (run.integration) {
      await files.standAt(run.integration.commit, signal);
    }
    if (Object.keys(run.tasks).length === 0) {
      this.o.ledger.append({
        type: 'task-created',
        runId,
        taskId: `${runId}.${PLANNING_TASK_KEY}`,
        actor: RUNTIME,
        task: planningTask(run),
      });
    }
    for (const task of Object.values(run.tasks)) {
      await this.o.taskWork.respond(task);
    }
  }

  private advance(runId: string, workers: Map<string, Promise<void>>, signal: AbortSignal, winding: AbortSignal): void {
    this.createPlannedTasks(runId);
    this.o.factory.dismissDrained();
    if (this.run(runId).paused) {
      return;
    }
    const { becomeReady, hopeless, orphaned } = schedule(this.run(runId));
    for (const task of new Set([...hopeless, ...orphaned])) {
      this.o.taskWork.cancel(
        task,
        hopeless.includes(task) ? 'A task it depends on was not proven.' : 'Whoever handed it on needs it no more.',
      );
    }
    for (const task of becomeReady) {
      appendToTask(this.o.ledger, task, { type: 'task-ready' });
    }
    const { rejoin, begin } = schedule(this.run(runId));
    for (const task of rejoin) {
      appendToTask(this.o.ledger, task, { type: 'task-rejoined' });
    }
    for (const task of begin) {
      if (task.agentId === undefined) {
        this.o.pool.staff(this.run(runId), task);
      }
    }
    for (const task of Object.values(this.run(runId).tasks)) {
      if (isAssigned(task) && !workers.has(task.id)) {
        const work = this.o.taskWork
          .perform(runId, task.id, { signal, winding })
          .finally(() => workers.delete(task.id));
        workers.set(task.id, work);
      }
    }
  }

  /** Tasks that an agent has and has not begun are nobody's again. */
  private handBackUnbegun(runId: string): void {
    for (const task of Object.values(this.run(runId).tasks)) {
      if (task.phase === 'ready' && task.agentId !== undefined && this.o.ledger.isOpen) {
        this.o.ledger.append(...handBack(this.o.ledger.state, task, 'The host closes before it was begun.'));
      }
    }
  }

  private createPlannedTasks(runId: string): void {
    for (const task of missingTasks(this.run(runId))) {
      this.o.ledger.append({ type: 'task-created', runId, taskId: task.id, actor: RUNTIME, task });
    }
  }

  private async end(runId: string, signal: AbortSignal): Promise<void> {
    const run = this.run(runId);
    const tasks = Object.values(run.tasks);
    const status: RunStatus = this.budgetIsReached(runId)
      ? 'budget-reached'
      : tasks.every(({ phase, parentTaskId }) => phase === 'proven' || parentTaskId !== undefined)
        ? 'succeeded'
        : 'failed';
    const diff = await this.o.results.diff(run, signal);
    const refused = status === 'succeeded' ? await this.o.results.handOver(run) : undefined;
    if (refused !== undefined) {
      this.o.ledger.append({ type: 'result-refused', runId, actor: RUNTIME, reason: refused });
    }
    const reason =
      refused ??
      run.reason ??
      timeIsOver(run) ??
      tasks.find(({ failure, phase }) => phase === 'failed' && failure)?.failure;
    this.endRun(runId, refused === undefined ? status : 'failed', reason, diff);
    await this.o.ledger.flushed();
  }

  private failRun(runId: string, error: unknown): void {
    if (error instanceof LedgerClosedError || this.o.ledger.state.runs[runId]?.phase === 'ended') {
      return;
    }
    for (const task of Object.values(this.run(runId).tasks)) {
      // What a crash kept from being told: each letter is posted in this turn.
      this.o.taskWork.respond(task).catch((failure: unknown) => {
        this.o.logger.warn(`${task.id}: ${messageOf(failure)}`);
      });
    }
    try {
      this.endRun(runId, 'failed', messageOf(error), undefined);
    } catch (failure) {
      if (!(failure instanceof LedgerClosedError)) {
        throw failure;
      }
      // The ledger closed in the middle: the next start ends the run.
    }
  }

  private endRun(runId: string, status: RunStatus, reason: string | undefined, diff: DiffSummary | undefined): void {
    const { account } = this.run(runId);
    this.o.ledger.append(...whatEndsWith(this.run(runId)), {
      type: 'run-ended',
      runId,
      actor: RUNTIME,
      status,
      usage: usageOf(account),
      ...(reason === undefined || status === 'succeeded' ? {} : { reason }),
      ...(diff ? { diff } : {}),
    });
  }

  private budgetIsReached(runId: string): boolean {
    const run = this.run(runId);
    return run.budgetReached === true || timeIsOver(run) !== undefined;
  }

  /** Writes down how long the run has been at work, now and then. */
  private async tick(runId: string, signal: AbortSignal): Promise<void> {
    for (let last = this.o.clock.now(); !signal.aborted;) {
      await this.o.clock.sleep(CLOCK_INTERVAL_MS, signal).catch(() => undefined);
      const now = this.o.clock.now();
      // While all stand still for more of a budget, no time of it passes.
      if (this.o.ledger.isOpen && !this.run(runId).paused && !waitsForRaise(this.run(runId))) {
        this.o.ledger.append({ type: 'work-clocked', runId, actor: RUNTIME, workedMs: Math.max(0, now - last) });
      }
      last = now;
    }
  }

  /** Resolves at the next event of the run that may let something begin or end. */
  private nextChange(runId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        listening.dispose();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const listening = this.o.ledger.onDidAppend((event) => {
        if (
          event.runId === runId &&
          (event.type.startsWith('task-') ||
            event.type.startsWith('plan-') ||
            event.type.startsWith('budget-') ||
            event.type === 'run-resumed' ||
            event.type === 'work-clocked')
        ) {
          finish();
        }
      });
      signal.addEventListener('abort', finish);
    });
  }

  private run(runId: string): RunView {
    const run = this.o.ledger.state.runs[runId];
    if (!run) {
      throw new HumanError(`There is no run ${runId}.`);
    }
    return run;
  }
}

/** The sentence that says that the run was at work for as long as it may. Where a person can raise that, the next call asks them. */
function timeIsOver(run: RunView): string | undefined {
  const { workedMs: used } = run.account;
  const { wallTimeMs: limit } = budgetOf(run);
  return limit === undefined || used < limit || run.options.asksToRaise
    ? undefined
    : describeRefusal({ resource: 'wallTimeMs', limit, used, reserved: 0, needed: 0 });
}
