/** The last moment of work that is to end in order: what is under way may come to its end, nothing else begins. */
import type { SquadView } from '../domain/squadState.ts';
import type { Clock, Ledger } from '../ports.ts';

/** With what comes after it (tables, ledger, ownership) a host that is told to close is gone within five seconds. */
export const GRACE_MS = 3_000;

/** Work of one run, as far as its end is concerned. */
export interface Winding {
  readonly runId: string;
  /** By task. */
  readonly workers: ReadonlyMap<string, Promise<void>>;
  readonly done: Promise<void>;
}

/** Resolves once all is done, or only waits for a person, or the grace is over. Never rejects. */
export async function lastMoment(works: readonly Winding[], ledger: Ledger, clock: Clock): Promise<void> {
  const over = new AbortController();
  const nothingUnderWay = new Promise<void>((resolve) => {
    const look = (): void => {
      if (works.every((work) => onlyWaits(ledger.state, work))) {
        resolve();
      }
    };
    const listening = ledger.onDidAppend(look);
    over.signal.addEventListener('abort', () => {
      listening.dispose();
    });
    look();
  });
  await Promise.race([
    Promise.all(works.map(({ done }) => done)),
    nothingUnderWay,
    clock.sleep(GRACE_MS, over.signal).catch(() => undefined),
  ]);
  over.abort(new Error('The moment is over.'));
}

/** What waits for a person, or stands still in a paused run, has no call that could end. */
function onlyWaits(state: SquadView, { runId, workers }: Winding): boolean {
  const run = state.runs[runId];
  return [...workers.keys()].every((taskId) => {
    const task = run?.tasks[taskId];
    return (
      !task ||
      task.phase === 'waiting_for_person' ||
      task.phase === 'split' ||
      (run.paused && task.openCall === undefined)
    );
  });
}
