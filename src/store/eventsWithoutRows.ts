/** Events that change no row; they need not travel to the thread of the tables. */
import type { EventType } from '../domain/events.ts';

const EVENTS_WITHOUT_ROWS = [
  'ledger-opened',
  'repository-seeded',
  'task-progressed',
  'task-rebased',
  'task-merged',
  'conversation-opened',
  'model-call-parked',
  'budget-warned',
  'tool-call-started',
  'tool-call-ended',
  'tool-calls-put-off',
  'changes-held-back',
  'rule-saved',
  'rule-removed',
  'person-wrote',
  'result-refused',
  'run-settled',
  'pool-scaled',
  'agent-idled',
  'agent-restart-planned',
] as const satisfies readonly EventType[];

/** Types of event that the projector must have a handler for. */
export type ProjectedType = Exclude<EventType, (typeof EVENTS_WITHOUT_ROWS)[number]>;

const withoutRows: ReadonlySet<EventType> = new Set(EVENTS_WITHOUT_ROWS);

export function hasRows(type: EventType): type is ProjectedType {
  return !withoutRows.has(type);
}
