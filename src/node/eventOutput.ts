/** What a run tells while it happens: events as JSON lines on standard output, lines for people on standard error. */
import { visibleText } from '../base/visibleText.ts';
import { isUnfinished } from '../domain/run.ts';
import { openRequests } from '../domain/squadState.ts';
import { lineOf } from '../host/eventLines.ts';
import type { OpenSquad } from '../host/openSquad.ts';
import type { TerminalView } from './terminalView.ts';

const plainLines = {
  print: (text: string): void => {
    process.stderr.write(`${text}\n`);
  },
};

/** Prints each event once it is durable, in order. */
export class EventOutput {
  private last = Promise.resolve();
  private readonly squad: OpenSquad;
  private readonly json: boolean;
  private readonly view: TerminalView | undefined;

  constructor(squad: OpenSquad, json: boolean, view: TerminalView | undefined) {
    this.squad = squad;
    this.json = json;
    this.view = view;
    squad.ledger.onDidAppend((event) => {
      const line = lineOf(event, squad.ledger.state);
      this.last = this.last
        .then(() => squad.ledger.flushed())
        .then(() => {
          this.say(event, line);
        })
        .catch(() => undefined);
    });
  }

  async finish(): Promise<void> {
    await this.last;
    for (const run of Object.values(this.squad.ledger.state.runs)) {
      const requests = isUnfinished(run) && !run.stopped ? openRequests(run).map(({ id }) => id) : [];
      if (requests.length > 0) {
        const line = `${run.id} waits for a person: ${requests.join(', ')}`;
        this.say({ type: 'run-waiting', runId: run.id, requests }, line);
      }
    }
    this.say({ type: 'squad-idle' }, undefined);
    this.view?.close();
  }

  private say(value: object, line: string | undefined): void {
    if (this.json) {
      process.stdout.write(`${JSON.stringify(value)}\n`);
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
