/**
 * What a whole window holds of a squad that another process owns: every run with its plan, its tasks and what waits for a
 * person in full, and the newest messages. It follows by the same events as any view, so a `ViewFollower` holds it.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestRecord } from '../domain/approval.ts';
import type { SquadEvent } from '../domain/events.ts';
import { emptyMail } from '../domain/mailbox.ts';
import { LONGEST_TEXT } from '../domain/message.ts';
import type { Run } from '../domain/run.ts';
import type { RunView, SquadState, SquadView } from '../domain/squadState.ts';
import { keepNewestMessages, NEWEST } from './viewState.ts';
import { eventWithoutTalk } from './withoutBodies.ts';

/** A copy that nobody else holds. */
export function windowStateOf(living: SquadView): SquadState {
  const { runs, standing, ...rest } = living;
  const copied: DeepReadonly<SquadState> = {
    ...rest,
    runs: Object.fromEntries(Object.entries(runs).map(([id, run]) => [id, windowRunOf(run)])),
    standing,
  };
  // Readonly is gone with the copy.
  return structuredClone(copied) as SquadState;
}

function windowRunOf(run: RunView): DeepReadonly<Run> {
  const messages = Object.entries(run.messages).slice(-NEWEST);
  const requests = Object.entries(run.requests).filter(([, request], index, all) => isKept(request, index, all.length));
  return { ...run, mail: emptyMail(), messages: Object.fromEntries(messages), requests: Object.fromEntries(requests) };
}

/** Leaves in a run what `windowStateOf` would put there. */
export function keepForWindow(run: Run): void {
  keepNewestMessages(run);
  const requests = Object.entries(run.requests);
  for (const [index, [id, request]] of requests.entries()) {
    if (!isKept(request, index, requests.length)) {
      delete run.requests[id];
    }
  }
}

/** What waits for a person stays, however old; of the others the newest. */
function isKept({ answer }: DeepReadonly<RequestRecord>, index: number, count: number): boolean {
  return answer === undefined || index >= count - NEWEST;
}

/** The event without what no living state keeps: `apply` makes the same of it. */
export function eventForWindow(event: SquadEvent): SquadEvent {
  switch (event.type) {
    case 'check-ended':
      return { ...event, result: { ...event.result, output: event.result.output.slice(-LONGEST_TEXT) } };
    default:
      return eventWithoutTalk(event);
  }
}
