/** A squad as views see it, over a ledger in memory: the real inbox, and runs that only write down what was asked. */
import { VirtualClock } from './virtualClock.ts';
import type { ViewedSquad } from '../../src/control/sharedSquad.ts';
import { Inbox } from '../../src/inbox/inbox.ts';
import type { Logger } from '../../src/ports.ts';
import { MemoryLedger } from './memoryLedger.ts';

export const silentLogger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

export class FakeSquad implements ViewedSquad {
  readonly ledger: MemoryLedger;
  readonly inbox: Inbox;
  /** What was asked of the runs, in order. */
  readonly asked: string[] = [];
  readonly runs: ViewedSquad['runs'] = {
    pause: (runId) => {
      this.asked.push(`pause ${runId}`);
      this.ledger.append({ type: 'run-paused', runId, actor: { kind: 'person', id: 'you' } });
    },
    resume: (runId) => {
      this.asked.push(`resume ${runId}`);
      this.ledger.append({ type: 'run-resumed', runId, actor: { kind: 'person', id: 'you' } });
    },
    stopAll: (door) => {
      this.asked.push('stop');
      const runIds = this.unfinished();
      for (const runId of runIds) {
        this.ledger.append({ type: 'run-stopped', runId, actor: { kind: 'person', id: 'you' }, door });
      }
      return Promise.resolve(runIds);
    },
    resumeAll: (door) => {
      this.asked.push('recover');
      const runIds = this.unfinished();
      for (const runId of runIds) {
        this.ledger.append({ type: 'run-continued', runId, actor: { kind: 'person', id: 'you' }, door });
      }
      return runIds;
    },
  };

  constructor(ledger = new MemoryLedger()) {
    this.ledger = ledger;
    this.inbox = new Inbox(ledger, new VirtualClock());
  }

  private unfinished(): string[] {
    return Object.values(this.ledger.state.runs).flatMap(({ id, phase }) => (phase === 'ended' ? [] : [id]));
  }
}
