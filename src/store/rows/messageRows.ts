/** What events do to `agent_communications`. */
import type { Compilable, Updateable } from 'kysely';
import type { EventOf } from '../../domain/events.ts';
import type { Party } from '../../domain/message.ts';
import { tables } from '../builder.ts';
import type { Projection } from '../projection.ts';
import type { Database } from '../schema.ts';
import { runIdOf } from './runRows.ts';

export function insertMessage(event: EventOf<'message-sent'>): Projection {
  const { message } = event;
  return [
    tables.insertInto('agent_communications').values({
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
    }),
  ];
}

export function setMessage(id: string, values: Updateable<Database['agent_communications']>): Compilable {
  return tables.updateTable('agent_communications').set(values).where('id', '=', id);
}

/** The agent or person has it. */
export function processMessage(id: string, at: string): Compilable {
  return setMessage(id, { status: 'processed', processed_at: at });
}

/** People and the runtime are no rows of `agent_registry`. */
export function agentIdOf(party: Party): string | null {
  return party.kind === 'agent' ? party.id : null;
}
