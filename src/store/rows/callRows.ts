/** What events do to `model_calls`, and to what the run and the task of a call have used. */
import type { Insertable, Updateable } from 'kysely';
import type { EventOf } from '../../domain/events.ts';
import { prepared, tables } from '../builder.ts';
import type { Projection } from '../projection.ts';
import type { Database } from '../schema.ts';
import { addToRun, runIdOf, spend } from './runRows.ts';
import { addToTask, taskIdOf } from './taskRows.ts';

export function beginCall(event: EventOf<'model-call-started'>): Projection {
  return [
    insert({
      id: event.callId,
      run_id: runIdOf(event),
      task_id: taskIdOf(event),
      agent_id: event.actor.kind === 'agent' ? event.actor.id : null,
      model: event.model,
      status: 'open',
      reserved_tokens: event.reservedTokens,
      reserved_micro_usd: event.reservedMicroUsd ?? null,
      started_at: event.at,
    }),
    addToRun(event, 'requests', 1),
  ];
}

export function settleCall(event: EventOf<'model-call-ended' | 'model-call-failed'>): Projection {
  const { inputTokens, outputTokens, source, microUsd } = event.usage;
  return [
    settle({
      id: event.callId,
      status: event.type === 'model-call-ended' ? 'answered' : 'failed',
      failure: event.type === 'model-call-failed' ? `${event.kind}: ${event.message}` : null,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      usage_source: source,
      micro_usd: microUsd ?? null,
      ended_at: event.at,
    }),
    spend(event, event.usage),
    addToTask(event, 'tokens', inputTokens + outputTokens),
  ];
}

const insert = prepared((values: Insertable<Database['model_calls']>) =>
  tables.insertInto('model_calls').values(values),
);

const settle = prepared(({ id, ...values }: Updateable<Database['model_calls']> & { id: string }) =>
  tables.updateTable('model_calls').set(values).where('id', '=', id),
);
