/** One real run of the rehearsal, headless, in a sandbox of its own: every event as the ledger wrote it. */
import { parseEvent, type SquadEvent } from '../../src/domain/events.ts';
import { Sandbox } from './headless.ts';
import { MemoryLedger } from './memoryLedger.ts';

export async function recordRun(): Promise<readonly SquadEvent[]> {
  const sandbox = new Sandbox();
  try {
    const { events, stderr } = await sandbox.rehearse().finished;
    const recorded = events.filter((event) => 'sequence' in event).map((value) => parseEvent(value));
    if (recorded.at(-1)?.type !== 'run-ended') {
      throw new Error(`The rehearsal did not end: ${stderr.slice(-2000)}`);
    }
    return recorded;
  } finally {
    sandbox.dispose();
  }
}

/** A ledger that has seen the run up to and with the first event that `isLast` accepts. */
export function ledgerUpTo(events: readonly SquadEvent[], isLast: (event: SquadEvent) => boolean): MemoryLedger {
  const ledger = new MemoryLedger();
  // The terminal prints from the run's start; what comes before in its ledger is its opening.
  for (let sequence = 1; sequence < (events[0]?.sequence ?? 1); sequence++) {
    ledger.append({
      type: 'ledger-opened',
      actor: { kind: 'runtime', id: 'runtime' },
      fromEpoch: 0,
      lastSequence: 0,
      lastCrc: 0,
      host: 'terminal',
    });
  }
  for (const event of events) {
    ledger.tell(event);
    if (isLast(event)) {
      break;
    }
  }
  return ledger;
}
