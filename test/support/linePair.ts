/** Two ends of a line in memory: what is sent is JSON in between, and comes in a later turn, in order. */
import type { OwnerLine } from '../../src/control/remoteSquad.ts';
import type { WindowLine } from '../../src/control/windowServer.ts';

export class LineEnd implements OwnerLine, WindowLine {
  /** Everything that was sent from here, in order. */
  readonly sent: object[] = [];
  /** While set, the other end reads nothing. */
  isStuck = false;
  backlog = 0;
  private other: LineEnd | undefined;
  private take: (value: unknown) => void = () => undefined;
  private readonly onCloses: (() => void)[] = [];
  private onDrain: (() => void) | undefined;
  private isClosed = false;

  static pair(): { owner: LineEnd; window: LineEnd } {
    const [owner, window] = [new LineEnd(), new LineEnd()];
    owner.other = window;
    window.other = owner;
    return { owner, window };
  }

  send(value: object): void {
    if (this.isClosed) {
      return;
    }
    this.sent.push(value);
    // Of undefined there is no text, whatever the compiler says.
    const text = JSON.stringify(value) as string | undefined;
    if (this.isStuck) {
      this.backlog += text?.length ?? 0;
    } else {
      setImmediate(() => this.other?.take(text === undefined ? undefined : JSON.parse(text)));
    }
  }

  /** The other end has read all. What came while it was stuck is lost to it, as if the test had read it. */
  drain(): void {
    this.isStuck = false;
    this.backlog = 0;
    this.onDrain?.();
  }

  handTo(take: (value: unknown) => void): void {
    this.take = take;
  }

  onceDrained(listener: () => void): void {
    this.onDrain = listener;
  }

  onClose(listener: () => void): void {
    this.onCloses.push(listener);
  }

  close(): void {
    for (const end of [this, this.other]) {
      if (end && !end.isClosed) {
        end.isClosed = true;
        end.onCloses.forEach((listener) => {
          listener();
        });
      }
    }
  }
}
