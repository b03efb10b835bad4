/**
 * `devsquad run` and `resume`: begins or takes up runs and stays with them to the end, whichever process owns the squad.
 * When another one does, this terminal follows its own runs there; when that one goes away, it goes on with them here.
 */
import { assertNever } from '../base/assertNever.ts';
import type { Disposable } from '../base/disposable.ts';
import type { LedgerView, SharedSquad } from '../control/sharedSquad.ts';
import { isUnfinished } from '../domain/run.ts';
import { openRequests } from '../domain/requestState.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';
import { isHeld } from '../domain/task.ts';
import { enterSquad, type Entered, type EnterOptions, type Guest } from '../host/enterSquad.ts';
import type { OpenSquad } from '../host/openSquad.ts';
import { EventOutput } from './eventOutput.ts';
import { promptForAnswers } from './terminalPrompt.ts';
import { TerminalView } from './terminalView.ts';

/** The worst of several runs decides. */
const EXIT_ORDER: readonly number[] = [5, 1, 4, 3, 0];

export interface Work {
  readonly options: EnterOptions;
  readonly json: boolean;
  /** Aborted when the work is to stop, as by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Begins or takes up runs; answers their ids. */
  readonly begin: (squad: SharedSquad) => Promise<readonly string[]>;
}

/** Stays until all is over, stopped, or only a person is missing; answers the exit code. */
export async function workAtTerminal({ options, json, signal, begin }: Work): Promise<number> {
  const interrupt = new AbortController();
  let entered = await enterSquad({ ...options, everyEvent: true }, signal);
  const ledgerNow = (): LedgerView => entered.squad.ledger;
  const attended = process.stdin.isTTY && !json;
  const view = process.stderr.isTTY && !json ? new TerminalView(process.stderr, () => ledgerNow().state) : undefined;
  const ours = Promise.withResolvers<readonly string[]>();
  ours.promise.catch(() => undefined);
  const output = new EventOutput(json, view, entered.role === 'owner' ? Promise.resolve('all') : ours.promise);
  const onInterrupt = (): void => {
    if (interrupt.signal.aborted) {
      process.exit(130);
    }
    interrupt.abort();
    void ours.promise.then((runIds) => stop(entered, runIds)).catch(() => undefined);
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  signal.addEventListener('abort', onInterrupt, { once: true });
  try {
    signal.throwIfAborted();
    output.follow(entered.squad.ledger);
    tellPlace(entered, view);
    const runIds = await begin(entered.squad);
    ours.resolve(runIds);
    for (;;) {
      const staying = new Staying(entered, runIds, output);
      const end = await staying.stay(attended, view).finally(() => {
        staying.dispose();
      });
      if (end !== 'lost') {
        break;
      }
      entered = await enterSquad({ ...options, everyEvent: true }, interrupt.signal);
      output.follow(entered.squad.ledger);
      tellPlace(entered, view);
      if (entered.role === 'owner') {
        entered.squad.runs.resumeInterrupted();
      }
    }
    const code = exitCodeOf(ledgerNow().state, runIds);
    if (entered.role === 'owner') {
      await entered.squad.runs.release();
    }
    await output.finish();
    return code;
  } finally {
    ours.reject(new Error('It is over.'));
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    signal.removeEventListener('abort', onInterrupt);
    // An owner writes the rest down; a guest only hangs up.
    await entered.squad.dispose();
  }
}

function stop({ role, squad }: Entered, runIds: readonly string[]): Promise<unknown> {
  return role === 'owner'
    ? squad.runs.stopAll('terminal', undefined, 'in order')
    : Promise.all(runIds.map((runId) => squad.runs.stopAll('terminal', runId)));
}

function tellPlace(entered: Entered, view: TerminalView | undefined): void {
  if (entered.role === 'guest') {
    const { host, pid } = entered.owner;
    const text = `${host === 'editor' ? 'VS Code' : 'Another terminal'} (process ${pid}) does the work of this workspace. This terminal follows it; Ctrl-C stops what you began here.`;
    if (view) {
      view.print(text);
    } else {
      process.stderr.write(`${text}\n`);
    }
  }
}

/** The time with one owner: from entering until the runs are over, or a person is needed, or the owner is lost. */
class Staying implements Disposable {
  private readonly entered: Entered;
  private readonly runIds: readonly string[];
  private readonly listening: Disposable[] = [];
  private readonly asking = new AbortController();

  constructor(entered: Entered, runIds: readonly string[], output: EventOutput) {
    this.entered = entered;
    this.runIds = runIds;
    if (entered.role === 'guest') {
      this.listening.push(
        entered.squad.onDidReset(() => {
          output.catchUp(entered.squad.ledger);
        }),
      );
    }
  }

  /** Whoever is there is asked meanwhile. Rejects when an owner's ledger closes. */
  stay(attended: boolean, view: TerminalView | undefined): Promise<'over' | 'lost' | 'person-missing'> {
    const { squad } = this.entered;
    const personMissing = attended
      ? promptForAnswers(squad, view, (runId) => this.isOurs(runId), this.asking.signal)
      : this.nobodyThere();
    return Promise.race([this.end(), personMissing]);
  }

  dispose(): void {
    this.asking.abort();
    for (const listening of this.listening) {
      listening.dispose();
    }
  }

  /** An owner stays for all that is unfinished, a guest for what was begun here. */
  private isOurs(runId: string): boolean {
    return this.entered.role === 'owner' || this.runIds.includes(runId);
  }

  private end(): Promise<'over' | 'lost'> {
    return this.entered.role === 'owner' ? this.endOfOwner(this.entered.squad) : this.endOfGuest(this.entered.squad);
  }

  /** Resolves when every unfinished run of ours can only go on with a person's answer. */
  private nobodyThere(): Promise<'person-missing'> {
    return new Promise((resolve) => {
      this.onChange(() => {
        const runs = Object.values(this.entered.squad.ledger.state.runs).filter(
          (run) => this.isOurs(run.id) && isUnfinished(run) && !run.stopped,
        );
        if (runs.length > 0 && runs.every((run) => onlyWaits(run))) {
          resolve('person-missing');
        }
      });
    });
  }

  private async endOfOwner(squad: OpenSquad): Promise<'over'> {
    const failed = new Promise<never>((_, reject) => {
      this.listening.push(squad.ledger.onDidFail(reject));
    });
    await Promise.race([squad.runs.idle(), failed]);
    return 'over';
  }

  private endOfGuest(squad: Guest['squad']): Promise<'over' | 'lost'> {
    return new Promise((resolve) => {
      this.listening.push(
        squad.onDidLose(() => {
          resolve('lost');
        }),
      );
      this.onChange(() => {
        const { runs } = squad.ledger.state;
        const isOver = (id: string): boolean => !runs[id] || !isUnfinished(runs[id]) || runs[id].stopped;
        if (this.runIds.every(isOver)) {
          resolve('over');
        }
      });
    });
  }

  /** Looks now and after every change, once the turn is over: the run's own policy may answer in the same one. */
  private onChange(look: () => void): void {
    const { role, squad } = this.entered;
    const soon = (): void => void setImmediate(look);
    this.listening.push(squad.ledger.onDidAppend(soon), ...(role === 'guest' ? [squad.onDidReset(soon)] : []));
    look();
  }
}

function onlyWaits(run: RunView): boolean {
  const tasks = Object.values(run.tasks);
  const begun = tasks.filter(({ phase, agentId }) => isHeld(phase) || (phase === 'ready' && agentId !== undefined));
  return openRequests(run).length > 0 && begun.length > 0 && begun.every(({ phase }) => phase === 'waiting_for_person');
}

function exitCodeOf(state: SquadView, runIds: readonly string[]): number {
  const codes = runIds.map((id): number => {
    const run = state.runs[id];
    if (!run) {
      return 1;
    }
    switch (run.status) {
      case undefined:
        return !run.stopped && openRequests(run).length > 0 ? 3 : 1;
      case 'succeeded':
        return 0;
      case 'budget-reached':
        return 4;
      case 'failed':
      case 'stopped':
        return 1;
      default:
        return assertNever(run.status);
    }
  });
  return EXIT_ORDER.find((code) => codes.includes(code)) ?? 0;
}
