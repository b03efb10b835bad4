/** A view's end of the channel: a slice, then events in order. It notices what is missing; who holds it asks to catch up. */
import type { Run } from '../domain/run.ts';
import type { HostMessage } from './messages.ts';
import { applyToView, type ViewState } from './viewState.ts';

/** `waiting` until the first slice; `following`; `behind` from a gap until the next slice. */
export type FollowStatus = 'waiting' | 'following' | 'behind';

export class ViewFollower {
  private current: ViewState | undefined;
  private status: FollowStatus = 'waiting';
  private readonly keep: ((run: Run) => void) | undefined;

  /** `keep` leaves in a run what the view holds of it, after each event; what a page holds where nothing is said. */
  constructor(keep?: (run: Run) => void) {
    this.keep = keep;
  }

  /** Undefined before the first slice. While behind it is as old as the last event that fitted. */
  get view(): ViewState | undefined {
    return this.current;
  }

  /** Takes a message in. Says `behind` exactly once for each gap: then a new slice must be asked for. Never throws. */
  follow(message: Extract<HostMessage, { type: 'slice' | 'events' }>): 'changed' | 'unchanged' | 'behind' {
    if (message.type === 'slice') {
      this.current = { state: message.state, events: message.events };
      this.status = 'following';
      return 'changed';
    }
    const { current } = this;
    if (this.status !== 'following' || !current || message.through <= current.state.sequence) {
      return 'unchanged';
    }
    if (message.after !== current.state.sequence || !applied(current, message.events, this.keep)) {
      this.status = 'behind';
      return 'behind';
    }
    current.state.sequence = message.through;
    return 'changed';
  }
}

/** False when an event does not fit: then what the page holds is not what the squad holds. */
function applied(view: ViewState, events: ViewState['events'], keep: ((run: Run) => void) | undefined): boolean {
  try {
    for (const event of events) {
      applyToView(view, event, keep);
    }
    return true;
  } catch {
    return false;
  }
}
