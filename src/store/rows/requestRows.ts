/** What events do to `approvals`, and to the task that waits for the person. */
import type { AnswerDoor, RequestAnswer } from '../../domain/approval.ts';
import type { EventOf } from '../../domain/events.ts';
import { isOver, STATUS_BY_PHASE, taskPhaseSchema } from '../../domain/task.ts';
import { tables } from '../builder.ts';
import type { Projection, Query } from '../projection.ts';
import { runIdOf } from './runRows.ts';

const PHASES_OVER = taskPhaseSchema.options.filter(isOver);

export function openRequest(event: EventOf<'request-opened'>): Projection {
  const { request } = event;
  return [
    tables.insertInto('approvals').values({
      id: request.id,
      run_id: runIdOf(event),
      task_id: request.taskId ?? null,
      agent_id: request.agentId ?? null,
      subject: JSON.stringify(request.subject),
      opened_at: event.at,
    }),
    ...(request.taskId === undefined ? [] : [beginWaiting(runIdOf(event), request.taskId)]),
  ];
}

/** Without a door it was withdrawn: nobody answered. */
export function answerRequest(
  event: EventOf<'request-answered' | 'request-withdrawn' | 'request-expired'>,
  answer: RequestAnswer,
  door: AnswerDoor | undefined,
): Projection {
  return [
    tables
      .updateTable('approvals')
      .set({ answer: JSON.stringify(answer), ...(door === undefined ? {} : { door }) })
      .where('id', '=', event.requestId),
    endWaiting(runIdOf(event), event.requestId),
  ];
}

function beginWaiting(runId: string, taskId: string): Query {
  return tables
    .updateTable('agent_tasks')
    .set({ phase: 'waiting_for_person', status: STATUS_BY_PHASE.waiting_for_person })
    .where('id', '=', taskId)
    .where('run_id', '=', runId)
    .where('phase', 'not in', PHASES_OVER);
}

/** The task of an answered request works on, unless another request of it is still open. */
function endWaiting(runId: string, requestId: string): Query {
  return tables
    .updateTable('agent_tasks')
    .set({ phase: 'working', status: STATUS_BY_PHASE.working })
    .where('id', '=', (query) => query.selectFrom('approvals').select('task_id').where('approvals.id', '=', requestId))
    .where('run_id', '=', runId)
    .where('phase', '=', 'waiting_for_person')
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('approvals as open')
            .select('open.id')
            .whereRef('open.task_id', '=', 'agent_tasks.id')
            .where('open.run_id', '=', runId)
            .where('open.answer', 'is', null),
        ),
      ),
    );
}
