/** What becomes of a message that cannot be delivered: it fails, and whoever must know hears of it, once. */
import { RUNTIME, type EventDraft } from '../domain/events.ts';
import { isOver, waitingIds } from '../domain/mailbox.ts';
import { describeMessage, type DeadCause, type Party } from '../domain/message.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';

const PREVIEW = 300;

/**
 * The message becomes a dead letter. It comes back to the agent that sent it, and the planning agent of its run hears of it
 * if it is at work; a person sees it in the run. News of a dead letter that cannot be delivered either is not news again.
 */
export function failMessage(
  state: SquadView,
  run: RunView,
  messageId: string,
  { cause, reason }: { cause: DeadCause; reason: string },
): EventDraft[] {
  const message = run.messages[messageId];
  if (!message || isOver(message)) {
    return [];
  }
  const { sender, receiver, content } = message;
  const told =
    content.kind === 'undelivered' || content.kind === 'digest'
      ? []
      : [sender, ...coordinators(state, run)].filter(
          ({ kind, id }, index, all) =>
            kind === 'agent' &&
            id !== receiver.id &&
            state.standing.agents[id] &&
            all.findIndex((other) => other.id === id) === index,
        );
  const news = {
    kind: 'undelivered' as const,
    messageId,
    senderId: sender.id,
    receiverId: receiver.id,
    reason,
    preview: describeMessage(content).slice(0, PREVIEW),
  };
  return [
    { type: 'message-failed', runId: run.id, actor: RUNTIME, messageId, reason, cause },
    ...told.map((party, index): EventDraft => ({
      type: 'message-sent',
      runId: run.id,
      actor: RUNTIME,
      causedBy: message.sequence,
      message: {
        // The count makes it another one when the letter is sent again and fails again.
        id: `${messageId}.undelivered.${run.counters.message + index + 1}`,
        runId: run.id,
        sender: RUNTIME,
        receiver: party,
        type: 'status_update',
        content: news,
        priority: 4,
        inReplyTo: messageId,
        threadId: message.threadId ?? messageId,
      },
    })),
  ];
}

/** All that waits for an agent that leaves the team fails. */
export function failMailOf(state: SquadView, agentId: string): EventDraft[] {
  const reason = `${agentId} is no longer in the team.`;
  return Object.values(state.runs)
    .filter(({ phase }) => phase !== 'ended')
    .flatMap((run) => {
      const resting = Object.keys(run.mail.resting).filter((id) => run.messages[id]?.receiver.id === agentId);
      return [...waitingIds(run.mail, agentId), ...resting].flatMap((id) =>
        failMessage(state, run, id, { cause: 'receiver-gone', reason }),
      );
    });
}

/** Planning agents that work in the run. */
function coordinators(state: SquadView, run: RunView): Party[] {
  return Object.values(state.standing.agents)
    .filter(({ type, currentTaskId }) => type === 'planning' && currentTaskId !== undefined && run.tasks[currentTaskId])
    .map(({ id }) => ({ kind: 'agent', id }));
}
