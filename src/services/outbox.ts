/**
 * Where letters become messages: each once, however often it is posted. What follows at once from its coming in is decided
 * in the same turn: nobody is there to read it, or too much waits and is put together.
 */
import { HumanError } from '../domain/errors.ts';
import { RUNTIME, type EventDraft } from '../domain/events.ts';
import { compactableCount, leastUrgent, waitingCount, wasSent } from '../domain/mailbox.ts';
import { digestOf } from '../domain/mailDigest.ts';
import {
  messageContentSchema,
  messageTypeSchema,
  partyOf,
  prioritySchema,
  type MessageContent,
  type MessageType,
  type Party,
  type StoredMessage,
} from '../domain/message.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';
import type { Ledger } from '../ports.ts';
import { failMessage } from './deadLetters.ts';

/** A letter to one or several; `id` makes the messages' ids, so that sending it again sends nothing. */
export interface Letter {
  readonly id: string;
  readonly runId: string;
  readonly sender: Party;
  readonly receiverIds: readonly string[];
  readonly type: MessageType;
  readonly content: MessageContent;
  readonly priority: number;
  readonly inReplyTo?: string;
  readonly threadId?: string;
  /** The task it is part of; where nothing is said, the one that the sender works on. */
  readonly task?: TaskStamp;
}

/** Which try of which task an event belongs to. */
export interface TaskStamp {
  readonly taskId: string;
  readonly attempt: number;
}

const MOST_WAITING = 200;
const ID = /^(?!__proto__)[\w.:/~@-]{1,300}$/;

export class Outbox {
  private readonly ledger: Ledger;
  private readonly mostWaiting: number;

  constructor(ledger: Ledger, mostWaiting = MOST_WAITING) {
    this.ledger = ledger;
    this.mostWaiting = mostWaiting;
  }

  /**
   * Sends now; the answer resolves when durable, also when the letter had been sent before. A message to nobody becomes a
   * dead letter at once. Throws a HumanError when the run has ended, and a ZodError when the letter does not fit.
   */
  send(letter: Letter): Promise<void> {
    const run = runOf(this.ledger.state, letter.runId);
    messageTypeSchema.parse(letter.type);
    messageContentSchema.parse(letter.content);
    prioritySchema.parse(letter.priority);
    assertIds(letter);
    const messages = messagesOf(letter).filter(({ id }) => !wasSent(run.mail, id));
    if (messages.length === 0) {
      // Whoever sends again waits for what the first sending appended.
      return this.ledger.flushed();
    }
    if (run.phase === 'ended') {
      throw new HumanError('This run has ended; nobody in it reads mail any more.');
    }
    const stamp = { runId: run.id, ...(letter.task ?? taskOf(this.ledger.state, run.id, letter.sender.id)) };
    const drafts: EventDraft[] = letter.sender.kind === 'person' ? [personWrote(letter)] : [];
    for (const message of messages) {
      drafts.push({ ...stamp, type: 'message-sent', actor: letter.sender, message });
    }
    let { durable } = this.ledger.append(...drafts);
    for (const { id, receiver } of messages) {
      durable = this.settleIn(run, id, receiver) ?? durable;
    }
    return durable;
  }

  /** What follows at once from a message's coming in: nobody is there, or too much waits. */
  private settleIn(run: RunView, id: string, receiver: Party): Promise<void> | undefined {
    if (receiver.kind !== 'agent') {
      return undefined;
    }
    const { state } = this.ledger;
    if (!state.standing.agents[receiver.id]) {
      return this.fail(
        run,
        id,
        wasMade(state, receiver.id)
          ? { cause: 'receiver-gone', reason: `${receiver.id} is no longer in the team.` }
          : { cause: 'unknown-receiver', reason: `Nobody is called ${receiver.id}.` },
      );
    }
    const most = this.mostWaiting;
    return waitingCount(run.mail, receiver.id) > most && compactableCount(run.mail, receiver.id) > most
      ? this.compact(run, receiver, Math.ceil(most / 2))
      : undefined;
  }

  private fail(run: RunView, messageId: string, why: Parameters<typeof failMessage>[3]): Promise<void> {
    return this.ledger.append(...failMessage(this.ledger.state, run, messageId, why)).durable;
  }

  private compact(run: RunView, receiver: Party, count: number): Promise<void> | undefined {
    const compacts = leastUrgent(run, receiver.id, count);
    const messages = compacts.flatMap((id) => run.messages[id] ?? []);
    if (messages.length < 2) {
      return undefined;
    }
    return this.ledger.append({
      type: 'message-sent',
      runId: run.id,
      actor: RUNTIME,
      message: {
        id: `${run.id}.digest.${run.counters.message + 1}`,
        runId: run.id,
        sender: RUNTIME,
        receiver: { ...receiver },
        type: 'status_update',
        content: digestOf(messages),
        priority: Math.max(...messages.map(({ priority }) => priority)),
        compacts,
      },
    }).durable;
  }
}

/** The task that a party works on in the run; nothing where there is none. */
export function taskOf({ runs, standing }: SquadView, runId: string, partyId: string): Partial<TaskStamp> {
  const taskId = standing.agents[partyId]?.currentTaskId;
  const task = taskId === undefined ? undefined : runs[runId]?.tasks[taskId];
  return task ? { taskId: task.id, attempt: task.attempt } : {};
}

/** Throws a HumanError when there is no such run. */
export function runOf({ runs }: SquadView, runId: string): RunView {
  const run = runs[runId];
  if (!run) {
    throw new HumanError(`There is no run ${runId}.`);
  }
  return run;
}

/** Whether an agent of that id was ever made. */
export function wasMade({ standing }: SquadView, agentId: string): boolean {
  const [, type, number = '0'] = /^(.+)-(\d+)$/.exec(agentId) ?? [];
  const made = Object.entries(standing.agentsMade).find(([name]) => name === type)?.[1] ?? 0;
  return Number(number) > 0 && Number(number) <= made;
}

function assertIds({ id, receiverIds }: Letter): void {
  if (!ID.test(id) || receiverIds.some((receiverId) => !ID.test(receiverId))) {
    throw new HumanError('Ids of messages and of agents are made of letters, digits and the signs . : / ~ @ _ - only.');
  }
}

function messagesOf(letter: Letter): StoredMessage[] {
  const { id, runId, sender, receiverIds, type, content, priority, inReplyTo, threadId } = letter;
  const isOne = receiverIds.length === 1;
  return receiverIds.map((receiverId) => ({
    id: isOne ? id : `${id}/${receiverId}`,
    runId,
    sender,
    receiver: partyOf(receiverId),
    type,
    content,
    priority,
    ...(isOne ? {} : { broadcastId: id }),
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    ...(threadId === undefined ? {} : { threadId }),
  }));
}

/** What came from the person, apart from what we made of it. */
function personWrote({
  runId,
  sender,
  id,
  receiverIds,
  type,
  content,
  priority,
  inReplyTo,
  threadId,
}: Letter): EventDraft {
  return {
    type: 'person-wrote',
    runId,
    actor: sender,
    letter: {
      id,
      receiverIds: [...receiverIds],
      type,
      content,
      priority,
      ...(inReplyTo === undefined ? {} : { inReplyTo }),
      ...(threadId === undefined ? {} : { threadId }),
    },
  };
}
