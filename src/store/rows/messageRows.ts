/** What events do to `agent_communications`. */
import type { Insertable, Updateable } from 'kysely';
import type { EventOf } from '../../domain/events.ts';
import { partyOf, type Party } from '../../domain/message.ts';
import { prepared, tables } from '../builder.ts';
import type { Projection, Query } from '../projection.ts';
import type { Database } from '../schema.ts';
import { runIdOf } from './runRows.ts';

export function insertMessage(event: EventOf<'message-sent'>): Projection {
  const { message } = event;
  return [
    insertRow({
      id: message.id,
      sender_agent_id: agentIdOf(message.sender),
      receiver_agent_id: agentIdOf(message.receiver),
      message_type: message.type,
      message_content: JSON.stringify(message.content),
      priority: message.priority,
      status: 'pending',
      sent_at: event.at,
      run_id: runIdOf(event),
      sender_kind: message.sender.kind,
      receiver_kind: message.receiver.kind,
      broadcast_id: message.broadcastId ?? null,
      thread_id: message.threadId ?? null,
      in_reply_to: message.inReplyTo ?? null,
      refusals: 0,
      rests_until: null,
    }),
    ...(message.compacts ?? []).map((id) => processMessage(id, event.at)),
  ];
}

const insertRow = prepared(({ receiver_agent_id, ...row }: Insertable<Database['agent_communications']>) =>
  tables.insertInto('agent_communications').values({
    ...row,
    // Somebody whom nobody knows has no row to refer to.
    receiver_agent_id: (query) =>
      query
        .selectFrom('agent_registry as agent')
        .select('agent.id')
        .where('agent.id', '=', receiver_agent_id ?? null),
  }),
);

/** It rests before it is tried again. */
export function restMessage(event: EventOf<'message-refused'>): Projection {
  return [
    tables
      .updateTable('agent_communications')
      .set((row) => ({
        status: 'pending',
        refusals: row('refusals', '+', 1),
        rests_until: new Date(Date.parse(event.at) + event.delayMs).toISOString(),
      }))
      .where('id', '=', event.messageId),
  ];
}

export function failMessage(event: EventOf<'message-failed'>): Projection {
  const letter = { cause: event.cause, reason: event.reason, failed_at: event.at };
  return [
    setMessage(event.messageId, { status: 'failed', rests_until: null }),
    tables
      .insertInto('dead_letters')
      .values({ id: event.messageId, run_id: runIdOf(event), ...letter, resent_at: null })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...letter, resent_at: null })),
  ];
}

export function resendMessage(event: EventOf<'message-resent'>): Projection {
  const receiver = event.receiverId === undefined ? undefined : partyOf(event.receiverId);
  return [
    setMessage(event.messageId, {
      status: 'pending',
      refusals: 0,
      ...(receiver ? { receiver_agent_id: agentIdOf(receiver), receiver_kind: receiver.kind } : {}),
    }),
    tables.updateTable('dead_letters').set({ resent_at: event.at }).where('id', '=', event.messageId),
  ];
}

/** The run has ended: what nobody has taken in fails. */
export function closeMail(runId: string | null): Query {
  return tables
    .updateTable('agent_communications')
    .set({ status: 'failed', rests_until: null })
    .where('run_id', '=', runId)
    .where('status', 'in', ['pending', 'delivered']);
}

export function setMessage(id: string, values: Updateable<Database['agent_communications']>): Query {
  return setRow({ ...values, id });
}

const setRow = prepared(({ id, ...values }: Updateable<Database['agent_communications']> & { id: string }) =>
  tables.updateTable('agent_communications').set(values).where('id', '=', id),
);

/** The agent or person has it. */
export function processMessage(id: string, at: string): Query {
  return setMessage(id, { status: 'processed', processed_at: at, rests_until: null });
}

/** People and the runtime are no rows of `agent_registry`. */
export function agentIdOf(party: Party): string | null {
  return party.kind === 'agent' ? party.id : null;
}
