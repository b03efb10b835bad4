/** What this page knows: the squad's slice as it follows it, and what the host has told it besides. Nothing else is state. */
import type { ToGo } from '../src/domain/forecast.ts';
import { ViewFollower } from '../src/protocol/channel.ts';
import type { ViewRequest } from '../src/protocol/messages.ts';
import { parseInPage } from '../src/protocol/pageDoor.ts';
import type { ViewState } from '../src/protocol/viewState.ts';

export interface PageState {
  /** Undefined until the first slice has come. */
  readonly view: ViewState | undefined;
  /** What is left to spend, as the squad told it with the newest of the view; undefined where nothing is foretold. */
  readonly toGo: ToGo | undefined;
  /** Why there is nothing to follow, now. */
  readonly noSquad: string | undefined;
  /** Why the last thing the person asked for was not done; stays until dismissed or until the next request. */
  readonly refused: string | undefined;
  /** What a screen reader is told, politely: what waits, proofs and failures. */
  readonly news: string | undefined;
}

export class Page {
  private readonly follower = new ViewFollower();
  private readonly send: (request: ViewRequest) => void;
  private readonly onChange: () => void;
  /** Says an event's sentence where it is news. */
  private readonly newsOf: (view: ViewState, after: number) => string | undefined;
  private toGo: ToGo | undefined;
  private noSquad: string | undefined;
  private refused: string | undefined;
  private news: string | undefined;

  constructor(options: {
    send: (request: ViewRequest) => void;
    onChange: () => void;
    newsOf: (view: ViewState, after: number) => string | undefined;
  }) {
    this.send = options.send;
    this.onChange = options.onChange;
    this.newsOf = options.newsOf;
  }

  get state(): PageState {
    const { toGo, noSquad, refused, news } = this;
    return { view: this.follower.view, toGo, noSquad, refused, news };
  }

  /** Takes in whatever was posted to the page. */
  receive(value: unknown): void {
    const message = parseInPage(value);
    switch (message?.type) {
      case undefined:
        return;
      case 'refused':
        this.refused = message.message;
        break;
      case 'no-squad':
        this.noSquad = message.message;
        break;
      case 'slice':
      case 'events': {
        this.noSquad = undefined;
        const before = this.follower.view?.state.sequence;
        const result = this.follower.follow(message);
        if (result === 'behind') {
          this.send({ type: 'catch-up', sequence: this.follower.view?.state.sequence ?? 0 });
        }
        if (result !== 'changed') {
          return;
        }
        this.toGo = message.toGo;
        if (message.type === 'events' && before !== undefined && this.follower.view) {
          this.news = this.newsOf(this.follower.view, before) ?? this.news;
        }
      }
    }
    this.onChange();
  }

  /** Something the person wants. */
  ask(request: ViewRequest): void {
    this.dismiss();
    this.send(request);
  }

  dismiss(): void {
    if (this.refused !== undefined) {
      this.refused = undefined;
      this.onChange();
    }
  }
}
