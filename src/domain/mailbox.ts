/**
 * A run's mail in the living state: what waits for whom, in which order, and what has ever been sent. Pure rules; `apply`
 * alone calls those that write.
 *
 *   pending → delivered → processed
 *      ↑          ↓ (refused; rests, then waits again)
 *      |__________|→ failed (a dead letter) → pending again when a person sends it again
 *
 * Mail of higher priority goes first, but nothing waits for ever: a message rises by one priority after `RISE_MS`, or when
 * `RISE_MESSAGES` later ones came into the same inbox. Each message's turn is fixed when it comes in, so the order is a
 * function of the state alone, and finding the next one costs the same however many wait.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { msOf } from '../base/instants.ts';
import { LONGEST_TEXT, partyOf, type MessageRecord, type MessageType, type StoredMessage } from './message.ts';

const RISE_MS = 30_000;
const RISE_MESSAGES = 16;
/** Messages that are over and still in the state, newest; older ones are in the ledger and in the tables. */
export const NEWEST_OVER = 500;
const TASK_LANE = 'task-';
/** Holes that a lane may have before it is written anew. */
const HOLES = 32;

export interface Mail {
  /**
   * By id, the sequence of every message of the run, so that none is sent twice and each can be found. As long as the run
   * is not archived; the limits on messages bound it.
   */
  sent: Record<string, number>;
  /** By sender, how many it has sent. */
  sentBy: Record<string, number>;
  /** By receiver, what waits for it; also where nothing waits any more, because making them anew costs more than a message. */
  inboxes: Record<string, Inbox>;
  /** By id, until when (ISO) refused messages rest. */
  resting: Record<string, string>;
  /** Ids of messages that are over, in that order, those that are still in the state. */
  over: string[];
}

interface Inbox {
  waiting: number;
  /** The place of each waiting message, by id: when it came in (ms since 1970), pushed on so that no two are the same. */
  places: Record<string, number>;
  lastPlace: number;
  /** By priority, and for requests and responses apart: in each the first is the next. */
  lanes: Record<string, Lane>;
}

/** A queue in plain JSON: what is before `start`, or no longer has the place it had, is gone. */
interface Lane {
  ids: string[];
  places: number[];
  start: number;
  waiting: number;
}

/** What a run has of mail. */
interface Correspondence {
  readonly id: string;
  readonly messages: Record<string, MessageRecord>;
  readonly mail: Mail;
  readonly counters: { message: number };
}

/** When and by which event something happened. */
type Stamp = Readonly<{ sequence: number; at: string }>;
type MailView = DeepReadonly<Mail>;
type Entry = DeepReadonly<{ id: string; place: number }>;

export const emptyMail = (): Mail => ({ sent: {}, sentBy: {}, inboxes: {}, resting: {}, over: [] });

/** How many messages wait for the receiver. */
export function waitingCount(mail: MailView, receiverId: string): number {
  return valueOf(mail.inboxes, receiverId)?.waiting ?? 0;
}

/** Ids of what waits for the receiver, the next one first; takes no more time than what is asked for costs. */
export function* waitingIds(mail: MailView, receiverId: string): Generator<string> {
  const inbox = valueOf(mail.inboxes, receiverId);
  if (!inbox) {
    return;
  }
  const lanes = Object.entries(inbox.lanes).map(([name, lane]) => {
    const entries = liveEntries(inbox, lane);
    return { ahead: priorityOf(name) * RISE_MS, entries, head: entries.next().value };
  });
  for (;;) {
    let next: { lane: (typeof lanes)[number]; turn: number; id: string } | undefined;
    for (const lane of lanes) {
      const turn = lane.head === undefined ? Infinity : lane.head.place - lane.ahead;
      if (lane.head && (!next || turn < next.turn)) {
        next = { lane, turn, id: lane.head.id };
      }
    }
    if (!next) {
      return;
    }
    next.lane.head = next.lane.entries.next().value;
    yield next.id;
  }
}

/**
 * Ids of `count` messages that could be put together, or fewer: of the least priority first, the oldest first. Never
 * requests or responses, and nothing that its receiver has been given.
 */
export function leastUrgent(run: DeepReadonly<Correspondence>, receiverId: string, count: number): string[] {
  const inbox = valueOf(run.mail.inboxes, receiverId);
  const found: string[] = [];
  for (const [, lane] of Object.entries(inbox?.lanes ?? {})
    .filter(([name]) => !name.startsWith(TASK_LANE))
    .sort(([one], [other]) => priorityOf(one) - priorityOf(other))) {
    for (const { id } of inbox ? liveEntries(inbox, lane) : []) {
      if (found.length === count) {
        return found;
      }
      if (run.messages[id]?.status === 'pending') {
        found.push(id);
      }
    }
  }
  return found;
}

/** How many messages wait for the receiver that `leastUrgent` could answer. */
export function compactableCount(mail: MailView, receiverId: string): number {
  return Object.entries(valueOf(mail.inboxes, receiverId)?.lanes ?? {})
    .filter(([name]) => !name.startsWith(TASK_LANE))
    .reduce((sum, [, lane]) => sum + lane.waiting, 0);
}

export function wasSent(mail: MailView, id: string): boolean {
  return valueOf(mail.sent, id) !== undefined;
}

/** A message comes into the run. */
export function addMessage(run: Correspondence, message: StoredMessage, stamp: Stamp): void {
  run.counters.message++;
  run.mail.sent[message.id] = stamp.sequence;
  run.mail.sentBy[message.sender.id] = (valueOf(run.mail.sentBy, message.sender.id) ?? 0) + 1;
  const record = recordOf(message, stamp);
  run.messages[message.id] = record;
  putIn(run.mail, record, stamp.at);
  for (const id of message.compacts ?? []) {
    // A view may not hold all of them.
    if (valueOf(run.messages, id)) {
      endMessage(run, id, { status: 'processed', processedAt: stamp.at });
    }
  }
}

/** A receiver could not take the message in: it is out of the inbox until its time has come. */
export function restMessage(run: Correspondence, refused: { messageId: string; delayMs: number }, at: string): void {
  const record = messageOf(run, refused.messageId);
  takeOut(run.mail, record);
  record.status = 'pending';
  record.refusals++;
  record.restsUntil = new Date(Date.parse(at) + refused.delayMs).toISOString();
  run.mail.resting[record.id] = record.restsUntil;
}

/** It has rested, and waits again. */
export function wakeMessage(run: Correspondence, id: string, at: string): void {
  const record = messageOf(run, id);
  stopResting(run.mail, record);
  putIn(run.mail, record, at);
}

/** A dead letter waits again, as if it had just been sent. */
export function resendMessage(
  run: Correspondence,
  { messageId, receiverId }: { messageId: string; receiverId?: string | undefined },
  at: string,
): void {
  const record = messageOf(run, messageId);
  record.status = 'pending';
  record.refusals = 0;
  record.receiver = receiverId === undefined ? record.receiver : partyOf(receiverId);
  if (record.deadLetter) {
    record.deadLetter.resentAt = at;
  }
  run.mail.over = run.mail.over.filter((id) => id !== messageId);
  putIn(run.mail, record, at);
}

/** The run has ended: nobody takes in any more what still waits. */
export function closeMail(run: Correspondence): void {
  for (const record of Object.values(run.messages)) {
    if (!isOver(record)) {
      endMessage(run, record.id, { status: 'failed' });
    }
  }
}

/** A message is taken in or given up; of those that are over the state keeps the newest. */
export function endMessage(
  run: Correspondence,
  id: string,
  end: Pick<MessageRecord, 'status'> & Partial<Pick<MessageRecord, 'processedAt' | 'deadLetter'>>,
): void {
  const record = messageOf(run, id);
  const wasOver = isOver(record);
  Object.assign(record, end);
  takeOut(run.mail, record);
  stopResting(run.mail, record);
  if (!wasOver) {
    run.mail.over.push(id);
    for (let excess = run.mail.over.length - NEWEST_OVER; excess > 0; excess--) {
      delete run.messages[run.mail.over.shift() ?? ''];
    }
  }
}

export function messageOf(run: Correspondence, id: string): MessageRecord {
  const message = valueOf(run.messages, id);
  if (!message) {
    throw new Error(`No message ${id} in run ${run.id}`);
  }
  return message;
}

export function isOver({ status }: Pick<MessageRecord, 'status'>): boolean {
  return status === 'processed' || status === 'failed';
}

/** An entry of a record that names it itself, and nothing that every object has. */
function valueOf<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function stopResting(mail: Mail, record: MessageRecord): void {
  if (record.restsUntil !== undefined) {
    delete record.restsUntil;
    delete mail.resting[record.id];
  }
}

function recordOf(message: StoredMessage, { sequence, at }: Stamp): MessageRecord {
  const longText =
    message.content.kind === 'text' && message.content.text.length > LONGEST_TEXT ? message.content.text : undefined;
  const record: MessageRecord & Pick<StoredMessage, 'compacts'> = {
    ...message,
    content: longText === undefined ? message.content : { kind: 'stored', sequence, preview: longText.slice(0, 200) },
    status: 'pending',
    refusals: 0,
    sentAt: at,
    sequence,
  };
  if (record.compacts) {
    delete record.compacts;
  }
  return record;
}

function putIn(mail: Mail, record: MessageRecord, at: string): void {
  const inbox = (mail.inboxes[record.receiver.id] ??= { waiting: 0, places: {}, lastPlace: 0, lanes: {} });
  const place = Math.max(msOf(at), inbox.lastPlace + RISE_MS / RISE_MESSAGES);
  const lane = (inbox.lanes[laneOf(record)] ??= { ids: [], places: [], start: 0, waiting: 0 });
  inbox.lastPlace = place;
  inbox.places[record.id] = place;
  inbox.waiting++;
  lane.ids.push(record.id);
  lane.places.push(place);
  lane.waiting++;
}

/** Does nothing when the message does not wait. */
function takeOut(mail: Mail, record: MessageRecord): void {
  const receiver = record.receiver.id;
  const inbox = valueOf(mail.inboxes, receiver);
  const name = laneOf(record);
  const lane = inbox?.lanes[name];
  if (!inbox || !lane || valueOf(inbox.places, record.id) === undefined) {
    return;
  }
  delete inbox.places[record.id];
  inbox.waiting--;
  lane.waiting--;
  if (inbox.waiting === 0) {
    inbox.lastPlace = 0;
  }
  if (lane.waiting === 0) {
    lane.ids = [];
    lane.places = [];
    lane.start = 0;
  } else {
    tidy(inbox, lane);
  }
}

/** Keeps the first entry a waiting one, and the holes few; each message pays a constant for it. */
function tidy(inbox: Inbox, lane: Lane): void {
  while (lane.start < lane.ids.length && !isLive(inbox, lane, lane.start)) {
    lane.start++;
  }
  if (lane.ids.length > 2 * lane.waiting + HOLES) {
    const live = [...liveEntries(inbox, lane)];
    lane.ids = live.map(({ id }) => id);
    lane.places = live.map(({ place }) => place);
    lane.start = 0;
  }
}

function* liveEntries(inbox: DeepReadonly<Inbox>, lane: DeepReadonly<Lane>): Generator<Entry, undefined> {
  for (let index = lane.start; index < lane.ids.length; index++) {
    const [id, place] = [lane.ids[index], lane.places[index]];
    if (id !== undefined && place !== undefined && isLive(inbox, lane, index)) {
      yield { id, place };
    }
  }
}

function isLive(inbox: DeepReadonly<Inbox>, lane: DeepReadonly<Lane>, index: number): boolean {
  return valueOf(inbox.places, lane.ids[index] ?? '') === lane.places[index];
}

function laneOf({ type, priority }: { type: MessageType; priority: number }): string {
  return type === 'task_request' || type === 'task_response' ? `${TASK_LANE}${priority}` : `${priority}`;
}

function priorityOf(lane: string): number {
  return Number(lane.slice(-1));
}
