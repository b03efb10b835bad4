/**
 * The owner's end of one line to another window or terminal: its view of the whole squad, and answers to what it asks. A
 * reader that does not keep up is left out until it has read what it was sent, and then gets a new slice.
 */
import { type Disposable, DisposableStore } from '../base/disposable.ts';
import { HumanError, messageOf } from '../domain/errors.ts';
import type { Clock, LanguageModels, Logger } from '../ports.ts';
import type { HostMessage } from '../protocol/messages.ts';
import {
  attachSchema,
  numberedRequestSchema,
  numberSchema,
  WINDOW_VERSION,
  type OwnerMessage,
} from '../protocol/windowMessages.ts';
import { SquadPicture } from './pictures.ts';
import type { SharedSquad } from './sharedSquad.ts';
import { ViewServer } from './viewServer.ts';
import { answerWindow, Nonces, type WindowRequestContext } from './windowRequests.ts';

/** Bytes that may wait for a reader before it is left out. */
const MOST_BACKLOG = 4 * 1024 * 1024;
/** Requests of one line that may be under way; whoever asks more at once is cut off. */
const MOST_REQUESTS = 100;

/** The line, as the owner sees it. */
export interface WindowLine {
  readonly backlog: number;
  send(value: object): void;
  handTo(take: (value: unknown) => void): void;
  onceDrained(listener: () => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface WindowServerOptions {
  readonly squad: SharedSquad;
  readonly models: LanguageModels;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Serves the line until either end closes it. `request` is its `attach`. Never throws. */
export function serveWindow(line: WindowLine, request: unknown, options: WindowServerOptions): Disposable {
  const attach = attachSchema.safeParse(request);
  if (!attach.success || attach.data.version !== WINDOW_VERSION) {
    line.send({
      type: 'error',
      message: 'Another version of DevSquad does the work of this workspace. Reload that window, or end that terminal.',
    });
    line.close();
    return { dispose: () => undefined };
  }
  const { everyEvent, host } = attach.data;
  const server = new WindowServer(line, options, { everyEvent, door: host });
  line.send({ type: 'attached' });
  return server;
}

class WindowServer implements Disposable {
  private readonly line: WindowLine;
  private readonly view: ViewServer;
  private readonly context: WindowRequestContext;
  private readonly logger: Logger;
  private readonly owned = new DisposableStore();
  private underWay = 0;

  constructor(
    line: WindowLine,
    { squad, models, clock, logger }: WindowServerOptions,
    { everyEvent, door }: { everyEvent: boolean; door: WindowRequestContext['door'] },
  ) {
    this.line = line;
    this.logger = logger;
    this.view = this.owned.add(
      new ViewServer({
        squad,
        clock,
        logger,
        picture: new SquadPicture(squad.ledger, everyEvent),
        post: (message) => {
          this.post(message);
        },
        // No page is at the other end: what it asks is parsed below.
        execute: () => undefined,
      }),
    );
    const showAll = (): void => {
      this.view.showAll();
    };
    this.context = { squad, models, clock, door, nonces: new Nonces(), showAll };
    line.onClose(() => {
      this.owned.dispose();
    });
    line.handTo((value) => {
      void this.receive(value);
    });
  }

  dispose(): void {
    this.owned.dispose();
    this.line.close();
  }

  private async receive(value: unknown): Promise<void> {
    const parsed = numberedRequestSchema.safeParse(value);
    if (!parsed.success) {
      const id = numberSchema.safeParse(value).data?.id ?? -1;
      this.say({ type: 'failed', id, message: 'This DevSquad does not know that request.', forPerson: true });
      return;
    }
    const { id, request } = parsed.data;
    if (++this.underWay > MOST_REQUESTS) {
      this.dispose();
      return;
    }
    try {
      const value = await answerWindow(request, this.context);
      this.say({ type: 'answered', id, sequence: this.context.squad.ledger.state.sequence, value });
    } catch (error) {
      const forPerson = error instanceof HumanError;
      if (!forPerson) {
        this.logger.error(`${request.type} of another window: ${messageOf(error)}`, error);
      }
      this.say({ type: 'failed', id, message: messageOf(error), forPerson });
    } finally {
      this.underWay--;
    }
  }

  private post(message: HostMessage): void {
    if (message.type === 'no-squad') {
      this.dispose();
    } else if (this.line.backlog > MOST_BACKLOG) {
      this.view.setVisible(false);
      this.line.onceDrained(() => {
        this.view.setVisible(true);
      });
    } else {
      this.line.send(message);
    }
  }

  private say(message: OwnerMessage): void {
    this.line.send(message);
  }
}
