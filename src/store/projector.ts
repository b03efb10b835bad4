/**
 * Events to rows. After any sequence of events the rows say what `apply` made of the living state; rows of archived runs
 * and of destroyed agents stay. Nothing here decides anything, and no time, id or chance comes from SQL.
 */
import type { EventOf, SquadEvent } from '../domain/events.ts';
import { hasRows, type ProjectedType } from './eventsWithoutRows.ts';
import type { Projection } from './projection.ts';
import { createAgent, destroyAgent, drainAgent, moveAgent, restartAgent } from './rows/agentRows.ts';
import { beginCall, settleCall } from './rows/callRows.ts';
import {
  closeMail,
  failMessage,
  insertMessage,
  processMessage,
  resendMessage,
  restMessage,
  setMessage,
} from './rows/messageRows.ts';
import { answerRequest, openRequest } from './rows/requestRows.ts';
import { addToRun, endRun, insertRun, runIdOf, setOutcome, setRun } from './rows/runRows.ts';
import {
  addCheck,
  claimTask,
  commitTask,
  delegateTask,
  endTask,
  insertTask,
  reopenTask,
  retryTask,
  setPhase,
  startTask,
} from './rows/taskRows.ts';

type Handlers = { readonly [Type in ProjectedType]: (event: EventOf<Type>) => Projection };

/** The compiler asks for every event type that `eventsWithoutRows.ts` does not name. */
const HANDLERS: Handlers = {
  'run-started': insertRun,
  'run-paused': (event) => [setRun(event, { paused: 1 })],
  'run-resumed': (event) => [setRun(event, { paused: 0 })],
  'run-stopped': (event) => [setRun(event, { stopped: 1 })],
  'run-continued': (event) => [setRun(event, { stopped: 0 })],
  'plan-submitted': (event) => [setRun(event, { phase: 'awaiting-approval' })],
  'plan-accepted': (event) => [setRun(event, { phase: 'working' })],
  'plan-revision-asked': (event) => [setRun(event, { phase: 'planning' })],

  'agent-created': createAgent,
  'agent-destroyed': destroyAgent,
  'agent-draining': drainAgent,
  'agent-began': (event) => moveAgent(event, 'busy', null),
  'agent-silent': (event) => moveAgent(event, 'error', event.reason),
  'agent-crashed': (event) => moveAgent(event, 'error', event.reason),
  'agent-stuck': (event) => moveAgent(event, 'error', event.reason),
  'agent-restarted': restartAgent,
  'agent-given-up': (event) => moveAgent(event, 'error', event.reason),
  'agent-recovered': (event) => moveAgent(event, 'idle', null),

  'task-created': insertTask,
  'task-ready': (event) => [setPhase(event, 'ready')],
  'task-delegated': delegateTask,
  'task-started': startTask,
  'task-split': (event) => [setPhase(event, 'split')],
  'task-rejoined': (event) => [setPhase(event, 'working')],
  'task-claimed': claimTask,
  'task-committed': commitTask,
  'check-ended': addCheck,
  'task-verified': (event) => [setPhase(event, 'merging')],
  'task-reopened': reopenTask,
  'task-proven': (event) => endTask(event, 'proven', undefined),
  'task-failed': (event) => endTask(event, 'failed', event.reason),
  'task-cancelled': (event) => endTask(event, 'cancelled', event.reason),
  'task-retried': retryTask,
  'task-handed-back': retryTask,

  'message-sent': insertMessage,
  'message-delivered': (event) => [setMessage(event.messageId, { status: 'delivered' })],
  'message-acknowledged': (event) => [processMessage(event.messageId, event.at)],
  'message-refused': restMessage,
  'message-retried': (event) => [setMessage(event.messageId, { rests_until: null })],
  'message-failed': failMessage,
  'message-resent': resendMessage,
  'conversation-noted': (event) => (event.messageId === undefined ? [] : [processMessage(event.messageId, event.at)]),

  'model-call-started': beginCall,
  'model-call-held': (event) => (event.requestId === undefined ? [] : [setPhase(event, 'waiting_for_person')]),
  'model-call-freed': (event) => [setPhase(event, 'working')],
  'model-call-ended': settleCall,
  'model-call-failed': settleCall,

  'request-opened': openRequest,
  'request-answered': (event) => answerRequest(event, event.answer, event.door),
  'request-withdrawn': (event) => answerRequest(event, { kind: 'deny', reason: event.reason }, undefined),
  'request-expired': (event) => answerRequest(event, { kind: 'deny', reason: event.reason }, undefined),

  'budget-reached': (event) => [setRun(event, { reason: event.message })],
  'work-clocked': (event) => [addToRun(event, 'worked_ms', event.workedMs)],

  'run-ended': (event) => [endRun(event), closeMail(runIdOf(event))],
  'apply-started': (event) => [setOutcome(event, { kind: 'applying', at: event.at })],
  'apply-ended': (event) => [setOutcome(event, event.applied ? { kind: 'applied', at: event.at } : { kind: 'kept' })],
  'apply-undo-started': (event) => [setOutcome(event, { kind: 'undoing', at: event.at })],
  'apply-undo-ended': (event) => [
    setOutcome(event, event.undone ? { kind: 'kept' } : { kind: 'applied', at: event.at }),
  ],
  'branch-created': (event) => [
    setOutcome(event, { kind: 'branched', at: event.at, name: event.name, commit: event.commit }),
  ],
  'branch-undone': (event) => [setOutcome(event, { kind: 'kept' })],
  'run-discarded': (event) => [setOutcome(event, { kind: 'discarded', at: event.at })],
  'discard-undone': (event) => [setOutcome(event, { kind: 'kept' })],
  'run-archived': (event) => [setRun(event, { archived_at: event.at })],
};

/** The queries that bring the tables from the event before this one to this one. */
export function projectionOf(event: SquadEvent): Projection {
  if (!hasRows(event.type)) {
    return [];
  }
  // The table ties each type to its event; an index by a union loses the tie.
  const handler = HANDLERS[event.type] as (event: SquadEvent) => Projection;
  return handler(event);
}
