/** Wakes refused messages when they have rested. That the timer fired is an event of its own. */
import type { Disposable } from '../base/disposable.ts';
import { RUNTIME } from '../domain/events.ts';
import type { Clock, Ledger } from '../ports.ts';

export class MailRetries implements Disposable {
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly over = new AbortController();
  private readonly listening: Disposable;

  /** Takes up what an earlier owner of the ledger left resting. */
  constructor(ledger: Ledger, clock: Clock) {
    this.ledger = ledger;
    this.clock = clock;
    for (const run of Object.values(ledger.state.runs)) {
      for (const [messageId, until] of Object.entries(run.mail.resting)) {
        void this.wake(run.id, messageId, Date.parse(until) - clock.now());
      }
    }
    this.listening = ledger.onDidAppend((event) => {
      if (event.type === 'message-refused') {
        void this.wake(event.runId ?? '', event.messageId, event.delayMs);
      }
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.over.abort(new Error('The squad is closing.'));
  }

  /** Never rejects. */
  private async wake(runId: string, messageId: string, delayMs: number): Promise<void> {
    const { signal } = this.over;
    // A clock that was set back must not make a message rest for years.
    await this.clock.sleep(Math.min(Math.max(0, delayMs), 60_000), signal).catch(() => undefined);
    const rests = this.ledger.state.runs[runId]?.mail.resting[messageId] !== undefined;
    if (rests && !signal.aborted && this.ledger.isOpen) {
      this.ledger.append({ type: 'message-retried', runId, actor: RUNTIME, messageId });
    }
  }
}
