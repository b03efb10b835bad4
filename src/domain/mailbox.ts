/**
 * A run's mail in the living state: what waits for whom, in which order, and what has ever been sent. Pure rules; `apply`
 * alone calls those that write.
 *
 *   pending → delivered → processed
 *      ↑__________|
 *
 * Mail of higher priority goes first, but nothing waits for ever: a message rises by one priority after `RISE_MS`, or when
 * `RISE_MESSAGES` later ones came into the same inbox. Each message's turn is fixed when it comes in, so the order is a
 * function of the state alone, and finding the next one costs the same however many wait.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { LONGEST_TEXT, type MessageRecord, type MessageType, type StoredMessage } from './message.ts';

const RISE_MS = 30_000;
const RISE_MESSAGES = 16;
/** Messages that are over and still in the state, newest; older ones are in the ledger and in the tables. */
export const NEWEST_OVER = 500;
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
  /** By receiver, what waits for it; none where nothing waits. */
  inboxes: Record<string, Inbox>;
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

export const emptyMail = (): Mail => ({ sent: {}, sentBy: {}, inboxes: {}, over: [] });

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
  putIn(run.mail, record, Date.parse(stamp.at));
}

/** A message is taken in or given up; of those that are over the state keeps the newest. */
export function endMessage(
  run: Correspondence,
  id: string,
  end: Pick<MessageRecord, 'status'> & { processedAt?: string },
): void {
  const record = messageOf(run, id);
  const wasOver = isOver(record);
  Object.assign(record, end);
  takeOut(run.mail, record);
  if (!wasOver) {
    run.mail.over.push(id);
    for (const oldest of run.mail.over.splice(0, run.mail.over.length - NEWEST_OVER)) {
      delete run.messages[oldest];
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

function recordOf(message: StoredMessage, { sequence, at }: Stamp): MessageRecord {
  const longText =
    message.content.kind === 'text' && message.content.text.length > LONGEST_TEXT ? message.content.text : undefined;
  return {
    ...message,
    content: longText === undefined ? message.content : { kind: 'stored', sequence, preview: longText.slice(0, 200) },
    status: 'pending',
    sentAt: at,
    sequence,
  };
}

function putIn(mail: Mail, record: MessageRecord, at: number): void {
  const inbox = (mail.inboxes[record.receiver.id] ??= { waiting: 0, places: {}, lastPlace: 0, lanes: {} });
  const place = Math.max(at, inbox.lastPlace + RISE_MS / RISE_MESSAGES);
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
    delete mail.inboxes[receiver];
  } else if (lane.waiting === 0) {
    delete inbox.lanes[name];
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
  return type === 'task_request' || type === 'task_response' ? `task-${priority}` : `${priority}`;
}

function priorityOf(lane: string): number {
  return Number(lane.slice(-1));
}
