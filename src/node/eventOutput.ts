/** What a run tells while it happens: events as JSON lines on standard output, lines for people on standard error. */
import type { Disposable } from '../base/disposable.ts';
import { visibleText } from '../base/visibleText.ts';
import type { LedgerView } from '../control/sharedSquad.ts';
import type { SquadEvent } from '../domain/events.ts';
import { isUnfinished } from '../domain/run.ts';
import { openRequests } from '../domain/requestState.ts';
import { lineOf } from '../host/eventLines.ts';
import { jsonLine } from './jsonLine.ts';
import type { TerminalView } from './terminalView.ts';

const plainLines = {
  print: (text: string): void => {
    process.stderr.write(`${text}\n`);
  },
};

/** Prints each event once it is durable, in order, each once, also when the squad's owner changes in between. */
export class EventOutput {
  private last = Promise.resolve();
  private ledger: LedgerView | undefined;
  private listening: Disposable | undefined;
  /** Sequence up to which all was told. */
  private told = 0;
  private readonly json: boolean;
  private readonly view: TerminalView | undefined;
  private readonly scope: Promise<'all' | readonly string[]>;

  /** `scope` is the runs that are told of; nothing is printed before it is known. */
  constructor(json: boolean, view: TerminalView | undefined, scope: Promise<'all' | readonly string[]>) {
    this.json = json;
    this.view = view;
    this.scope = scope;
  }

  /** From now on events come from this ledger; what happened since the last one's last event is read from it. */
  follow(ledger: LedgerView): void {
    this.listening?.dispose();
    if (this.ledger === undefined) {
      this.told = ledger.state.sequence;
    }
    this.ledger = ledger;
    this.catchUp(ledger);
    this.listening = ledger.onDidAppend((event) => {
      const line = lineOf(event, ledger.state);
      this.next(async () => {
        await this.tellUpTo(ledger, event.sequence - 1);
        await ledger.flushed(event.sequence);
        await this.tell(event, line);
      });
    });
  }

  /** Tells what the ledger holds and nobody announced. */
  catchUp(ledger: LedgerView): void {
    const { sequence } = ledger.state;
    this.next(() => this.tellUpTo(ledger, sequence));
  }

  async finish(): Promise<void> {
    await this.last;
    const scope = await this.scope;
    for (const run of Object.values(this.ledger?.state.runs ?? {})) {
      const isTold = scope === 'all' || scope.includes(run.id);
      const requests = isTold && isUnfinished(run) && !run.stopped ? openRequests(run).map(({ id }) => id) : [];
      if (requests.length > 0) {
        const line = `${run.id} waits for a person: ${requests.join(', ')}`;
        this.say({ type: 'run-waiting', runId: run.id, requests }, line);
      }
    }
    this.say({ type: 'squad-idle' }, undefined);
    this.view?.close();
  }

  /** In order; what cannot be told because the ledger closed is left out, and whoever waits for that says so. */
  private next(step: () => Promise<void>): void {
    this.last = this.last.then(step).catch(() => undefined);
  }

  private async tellUpTo(ledger: LedgerView, sequence: number): Promise<void> {
    while (this.told < sequence) {
      const event = await ledger.read(this.told + 1);
      await this.tell(event, lineOf(event, ledger.state));
    }
  }

  private async tell(event: SquadEvent, line: string | undefined): Promise<void> {
    const scope = await this.scope;
    if (event.sequence <= this.told) {
      return;
    }
    this.told = event.sequence;
    if (scope === 'all' || event.runId === undefined || scope.includes(event.runId)) {
      this.say(event, line);
    }
  }

  private say(value: object, line: string | undefined): void {
    if (this.json) {
      process.stdout.write(jsonLine(value));
    }
    if (line !== undefined) {
      // A model's words must not steer the terminal.
      const text = visibleText(line);
      (this.view ?? plainLines).print(text);
    } else {
      this.view?.draw();
    }
  }
}
