/**
 * What a view holds: the part of the living state that is about one run, and that run's newest events. A view gets it once
 * and then applies events to it with the same `apply` as everybody; what would grow without end is kept to its newest.
 */
import type { Standing } from '../domain/agentState.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { Run } from '../domain/run.ts';
import { emptyMail } from '../domain/mailbox.ts';
import { currentRun, apply, type RunView, type SquadState, type SquadView } from '../domain/squadState.ts';
import { eventWithoutBodies, runWithoutBodies } from './withoutBodies.ts';

/** So many messages and so many events. */
export const NEWEST = 500;

export interface ViewState {
  /**
   * All agents, no days, and at most one run: the one that was started last. It has no bodies, its messages are the newest, its
   * requests are those that still wait.
   */
  readonly state: SquadState;
  /** The run's newest events, oldest first, without bodies. */
  readonly events: SquadEvent[];
}

/** A view's part of the living state. `events` are the run's, oldest first; bodies or more than the newest may be among them. */
export function sliceOf(living: SquadView, events: readonly SquadEvent[]): ViewState {
  const run = currentRun(living);
  const view: ViewState = {
    state: {
      sequence: living.sequence,
      epoch: living.epoch,
      runs: run ? { [run.id]: runWithoutBodies(run) } : {},
      // A copy that nobody else holds.
      standing: structuredClone(living.standing) as SquadState['standing'],
    },
    events: events.slice(-NEWEST).map(eventWithoutBodies),
  };
  for (const kept of Object.values(view.state.runs)) {
    keepForPage(kept, view.state.standing);
  }
  return view;
}

/**
 * What an event means to a view of the run `runId`: it is applied, it is none of the view's business, or it changes what
 * the view is about in a way that only a new slice can tell.
 */
export function reachOf(runId: string | undefined, event: SquadEvent): 'apply' | 'ignore' | 'slice' {
  switch (event.type) {
    case 'ledger-opened':
    case 'agent-created':
    case 'agent-destroyed':
    case 'pool-scaled':
    case 'rule-saved':
    case 'rule-removed':
    case 'agent-draining':
    case 'agent-idled':
    case 'agent-began':
    case 'agent-silent':
    case 'agent-crashed':
    case 'agent-stuck':
    case 'agent-restart-planned':
    case 'agent-given-up':
    case 'agent-recovered':
      return 'apply';
    case 'run-started':
      return 'slice';
    case 'run-archived':
      return event.runId === runId ? 'slice' : 'ignore';
    // They move an agent, whichever run they are of.
    case 'task-delegated':
    case 'task-proven':
    case 'task-failed':
    case 'task-cancelled':
    case 'task-retried':
    case 'task-handed-back':
    case 'agent-restarted':
      return event.runId === runId ? 'apply' : 'slice';
    default:
      return event.runId === runId ? 'apply' : 'ignore';
  }
}

/**
 * Applies one event, in place, that is to be applied here and has no bodies. Throws when it does not fit. `keep` leaves in
 * the event's run what the view holds of it.
 */
export function applyToView(
  view: ViewState,
  event: SquadEvent,
  keep: (run: Run, standing: Standing) => void = keepForPage,
): void {
  const run = view.state.runs[event.runId ?? ''];
  const fitting = run ? fit(run, event) : event;
  if (fitting) {
    apply(view.state, fitting);
  } else {
    view.state.sequence = event.sequence;
  }
  if (run) {
    view.events.push(event);
    view.events.splice(0, view.events.length - NEWEST);
    keep(run, view.state.standing);
  }
}

/** The event as far as the view still holds what it names; undefined when nothing is left of it. */
function fit(run: RunView, event: SquadEvent): SquadEvent | undefined {
  switch (event.type) {
    case 'message-delivered':
    case 'message-acknowledged':
    case 'message-refused':
    case 'message-retried':
    case 'message-failed':
    case 'message-resent':
      return run.messages[event.messageId] ? event : undefined;
    case 'conversation-noted': {
      const { messageId, ...rest } = event;
      return messageId === undefined || run.messages[messageId] ? event : rest;
    }
    case 'request-answered':
    case 'request-withdrawn':
    case 'request-expired':
      return run.requests[event.requestId] ? event : undefined;
    default:
      return event;
  }
}

/** Whose turn it is in the mail decides the squad alone; a view only shows the messages. */
export function keepNewestMessages(run: Run): void {
  run.mail = emptyMail();
  for (const id of Object.keys(run.messages).slice(0, -NEWEST)) {
    delete run.messages[id];
  }
}

/** What a day came to is all runs' doing, and a page hears of one run. */
function keepForPage(run: Run, standing: Standing): void {
  standing.days = {};
  keepNewestMessages(run);
  for (const request of Object.values(run.requests)) {
    if (request.answer) {
      delete run.requests[request.id];
    }
  }
}
