/**
 * One view's end at the squad: a slice when the page asks for one, then events in ordered batches. It keeps no state of
 * its own but what has been sent; a view that is hidden is sent nothing, and gets a new slice when it is back.
 */
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import type { SquadEvent } from '../domain/events.ts';
import { messageOf } from '../domain/errors.ts';
import type { Clock, Logger } from '../ports.ts';
import type { HostMessage, ViewCommand } from '../protocol/messages.ts';
import { RunPicture, type Picture } from './pictures.ts';
import type { ViewedSquad } from './sharedSquad.ts';
import { answerView } from './viewRequests.ts';

/** At most 30 messages a second: nobody sees more. */
const BATCH_INTERVAL_MS = 34;

export interface ViewServerOptions {
  readonly squad: ViewedSquad;
  /** What the view is about; the run that was started last where nothing is said. Disposed with this. */
  readonly picture?: Picture;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  /** To the page. What is lost on the way is noticed there. */
  readonly post: (message: HostMessage) => void;
  /** Runs a command of the editor, which asks the person itself. */
  readonly execute: (command: ViewCommand) => void | Promise<void>;
}

export class ViewServer implements Disposable {
  private readonly o: ViewServerOptions;
  private readonly owned = new DisposableStore();
  private readonly picture: Picture;
  private readonly over = new AbortController();
  /** Whether there is a page that has asked for a slice and can be seen. */
  private isReady = false;
  private isVisible = true;
  private needsSlice = false;
  private isSending = false;
  private pending: SquadEvent[] = [];
  /** Sequence up to which the page was told, and up to which it will have been told with what is pending. */
  private told = 0;
  private seen = 0;

  constructor(options: ViewServerOptions) {
    this.o = options;
    const { ledger } = options.squad;
    this.picture = this.owned.add(options.picture ?? new RunPicture(ledger));
    this.owned.add(
      ledger.onDidAppend((event) => {
        this.take(event);
      }),
    );
  }

  /** Whatever the page posts. Never rejects. */
  async receive(value: unknown): Promise<void> {
    const refused = await answerView(value, {
      squad: this.o.squad,
      logger: this.o.logger,
      execute: this.o.execute,
      showAll: () => {
        this.showAll();
      },
    });
    if (refused !== undefined) {
      this.post({ type: 'refused', message: refused });
    }
  }

  /** The view is there and holds nothing it could go on from. */
  showAll(): void {
    this.isReady = true;
    this.askForSlice();
  }

  setVisible(isVisible: boolean): void {
    if (this.isVisible === isVisible) {
      return;
    }
    this.isVisible = isVisible;
    this.pending = [];
    if (isVisible && this.isReady) {
      this.askForSlice();
    }
  }

  dispose(): void {
    this.over.abort(new Error('The view is closed.'));
    this.owned.dispose();
  }

  private askForSlice(): void {
    this.needsSlice = true;
    this.pending = [];
    this.send();
  }

  private take(event: SquadEvent): void {
    if (!this.isReady || !this.isVisible || this.needsSlice || event.sequence <= this.told) {
      return;
    }
    const taken = this.picture.take(event);
    if (taken === 'slice') {
      this.askForSlice();
    } else if (taken !== 'ignore') {
      this.pending.push(taken);
      this.seen = event.sequence;
      this.send();
    }
  }

  /** Begins to send, unless it is being done. */
  private send(): void {
    if (!this.isSending && !this.over.signal.aborted) {
      this.isSending = true;
      void this.sendAll().catch((error: unknown) => {
        this.isSending = false;
        this.giveUp(error);
      });
    }
  }

  private async sendAll(): Promise<void> {
    while (this.isVisible && (this.needsSlice || this.pending.length > 0)) {
      const message = this.needsSlice ? await this.makeSlice() : this.makeBatch();
      // What a page shows has happened, also after a power cut.
      await this.o.squad.ledger.flushed();
      this.post(message);
      await this.o.clock.sleep(BATCH_INTERVAL_MS, this.over.signal);
    }
    // In the same turn as the look at what is pending: an event that comes now begins anew.
    this.isSending = false;
  }

  private async makeSlice(): Promise<HostMessage> {
    await this.picture.prepare();
    // From here to the return there is no wait: the slice is of one moment.
    const { state } = this.o.squad.ledger;
    this.needsSlice = false;
    this.pending = [];
    this.told = this.seen = state.sequence;
    return { type: 'slice', ...this.picture.slice(), ...this.toGo() };
  }

  private makeBatch(): HostMessage {
    const [after, through, events] = [this.told, this.seen, this.pending];
    const message = { type: 'events' as const, after, through, events, ...this.toGo() };
    this.pending = [];
    this.told = this.seen;
    return message;
  }

  private toGo(): Pick<HostMessage & { type: 'slice' }, 'toGo'> {
    const toGo = this.picture.toGo();
    return toGo ? { toGo } : {};
  }

  private post(message: HostMessage): void {
    if (!this.over.signal.aborted && this.isVisible) {
      this.o.post(message);
    }
  }

  private giveUp(error: unknown): void {
    if (!this.over.signal.aborted) {
      this.o.logger.error(`A view cannot be served any more: ${messageOf(error)}`, error);
      this.post({ type: 'no-squad', message: messageOf(error) });
    }
  }
}
