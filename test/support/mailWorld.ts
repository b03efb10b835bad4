/**
 * Mail under a bad star: the real service over a ledger in memory that forgets, at a crash, what it had not called durable.
 * At the door between sender and ledger, and at the one between ledger and receiver, letters are dropped, doubled, delayed
 * and overtake each other. Senders post again until they know that a letter is durable; receivers ask again and again.
 */
import assert from 'node:assert/strict';
import { noteMail } from '../../src/agents/mailNotes.ts';
import { Emitter } from '../../src/base/emitter.ts';
import { LedgerClosedError } from '../../src/domain/errors.ts';
import type { EventDraft, SquadEvent } from '../../src/domain/events.ts';
import type { AgentMessage } from '../../src/domain/message.ts';
import { apply } from '../../src/domain/squadState.ts';
import type { Appended, Ledger } from '../../src/ports.ts';
import { AgentCommunicationService } from '../../src/services/agentCommunicationService.ts';
import { MailRetries } from '../../src/services/mailRetries.ts';
import type { Letter } from '../../src/services/outbox.ts';
import { anyAgent, anyOptions, anyTask, EventLog } from './builders.ts';
import { SeededRandom } from './seededRandom.ts';
import { VirtualClock } from './virtualClock.ts';

const RUN = 'run-1';
const AGENTS = Array.from({ length: 8 }, (_, index) => `agent-${index + 1}`);
const taskIdOf = (agentId: string): string => `${RUN}.${agentId}`;

/** Appends at once, is durable at the next `sync`, and loses at a crash any part of what came after the last one. */
class ForgetfulLedger implements Ledger {
  readonly log = new EventLog();
  isOpen = true;
  durable = 0;
  private readonly appended = new Emitter<SquadEvent>();
  readonly onDidAppend = this.appended.event;
  private waiters: PromiseWithResolvers<undefined>[] = [];

  get state(): EventLog['state'] {
    return this.log.state;
  }

  append(...drafts: EventDraft[]): Appended {
    this.assertOwner();
    const events = this.log.add(...drafts);
    for (const event of events) {
      this.appended.fire(event);
    }
    return { events, durable: this.flushed() };
  }

  assertOwner(): void {
    if (!this.isOpen) {
      throw new LedgerClosedError('The process has ended.');
    }
  }

  flushed(): Promise<void> {
    const waiter = Promise.withResolvers<undefined>();
    waiter.promise.catch(() => undefined);
    this.waiters.push(waiter);
    return waiter.promise;
  }

  read(sequence: number): Promise<SquadEvent> {
    return Promise.resolve(this.log.at(sequence));
  }

  sync(): void {
    this.durable = this.log.events.length;
    for (const waiter of this.waiters.splice(0)) {
      waiter.resolve(undefined);
    }
  }

  /** What the next process finds. */
  crash(random: SeededRandom): ForgetfulLedger {
    this.isOpen = false;
    for (const waiter of this.waiters.splice(0)) {
      waiter.reject(new LedgerClosedError('The process has ended.'));
    }
    const next = new ForgetfulLedger();
    for (const event of this.log.events.slice(0, random.between(this.durable, this.log.events.length))) {
      apply(next.log.state, event);
      next.log.events.push(event);
    }
    next.durable = next.log.events.length;
    return next;
  }
}

export class MailWorld {
  ledger = new ForgetfulLedger();
  crashes = 0;
  private readonly random: SeededRandom;
  private readonly clock = new VirtualClock();
  private readonly mostWaiting: number;
  private readonly letters: readonly Letter[];
  private readonly unsure: Set<Letter>;
  private next = 0;
  private mail: AgentCommunicationService;
  private retries: MailRetries;
  /** What is under way at either door, in no order. */
  private underWay: (() => void)[] = [];
  /** Copies that come when all is long over. */
  private readonly late: (() => void)[] = [];

  constructor(seed: number, count: number, mostWaiting: number) {
    this.random = new SeededRandom(seed);
    this.mostWaiting = mostWaiting;
    this.letters = Array.from({ length: count }, (_, index) => this.letter(index));
    this.unsure = new Set(this.letters);
    this.populate();
    [this.mail, this.retries] = this.open();
  }

  /** Until every sender knows that its letters are durable, and nothing waits any more. */
  async play(): Promise<void> {
    for (let step = 0; this.unsure.size > 0; step++) {
      assert.ok(step < this.letters.length * 60, 'the senders never come to an end');
      this.step();
      await turns(2);
    }
    this.underWay.push(...this.late);
    for (let round = 0; this.waiting() > 0 || this.underWay.length > 0; round++) {
      assert.ok(round < 400, `${this.waiting()} messages starve`);
      for (const agentId of AGENTS) {
        this.receive(agentId);
      }
      for (let more = 0; more < 20; more++) {
        this.letThrough();
        this.ledger.sync();
        await turns(4);
      }
      this.clock.advance(60_000);
      await turns(4);
    }
    this.retries.dispose();
  }

  private step(): void {
    const { random } = this;
    const dice = random.next();
    if (dice < 0.3 && this.next < this.letters.length) {
      this.post(this.letters[this.next++]!);
    } else if (dice < 0.36) {
      const [again] = this.unsure;
      if (again && this.letters.indexOf(again) < this.next) {
        this.post(again);
      }
    } else if (dice < 0.7) {
      this.letThrough();
    } else if (dice < 0.85) {
      this.ledger.sync();
    } else if (dice < 0.96) {
      this.receive(random.pick(AGENTS)!);
    } else if (dice < 0.9985) {
      this.clock.advance(random.between(1, 3000));
    } else {
      this.crash();
    }
  }

  /** A door: nothing, one or two of it come through, at some time. */
  private atDoor(act: () => void): void {
    const times = this.random.chance(0.1) ? 0 : this.random.chance(0.1) ? 2 : 1;
    this.underWay.push(...Array.from({ length: times }, () => act));
    if (this.random.chance(0.01)) {
      this.late.push(act);
    }
  }

  private letThrough(): void {
    for (let count = Math.min(3, this.underWay.length); count > 0; count--) {
      const index = this.random.between(0, this.underWay.length - 1);
      const [act] = this.underWay.splice(index, 1);
      act?.();
    }
  }

  private post(letter: Letter): void {
    this.atDoor(() => {
      this.mail.post(letter).then(
        () => this.unsure.delete(letter),
        () => undefined,
      );
    });
  }

  private receive(agentId: string): void {
    const { ledger, mail } = this;
    const refuses = this.random.chance(0.1);
    mail.receiveMessages(agentId).then(
      (messages) => {
        if (messages.length > 0) {
          this.atDoor(() => {
            this.takeIn(ledger, agentId, messages, refuses);
          });
        }
      },
      () => undefined,
    );
  }

  /** A receiver that the crash did not end would still only reach the ledger of its time. */
  private takeIn(ledger: Ledger, agentId: string, messages: AgentMessage[], refuses: boolean): void {
    const [first] = messages;
    if (refuses && first && ledger === this.ledger) {
      this.mail.negativeAcknowledge(first.id, 'no room').catch(() => undefined);
      return;
    }
    const task = ledger.state.runs[RUN]!.tasks[taskIdOf(agentId)]!;
    noteMail(ledger, task, { attempt: 1, restarts: 0 }, messages, []).catch(() => undefined);
  }

  private crash(): void {
    this.crashes++;
    this.retries.dispose();
    this.ledger = this.ledger.crash(this.random);
    [this.mail, this.retries] = this.open();
  }

  private waiting(): number {
    const { mail } = this.ledger.state.runs[RUN]!;
    const inboxes = Object.values(mail.inboxes).reduce((sum, { waiting }) => sum + waiting, 0);
    return inboxes + Object.keys(mail.resting).length;
  }

  private open(): [AgentCommunicationService, MailRetries] {
    const clock = { random: () => this.random.next() };
    return [
      new AgentCommunicationService(this.ledger, { clock, mostWaiting: this.mostWaiting }),
      new MailRetries(this.ledger, this.clock),
    ];
  }

  private letter(index: number): Letter {
    const [from, to] = [this.random.between(0, 7), this.random.between(1, 7)];
    return {
      id: `m${index}`,
      runId: RUN,
      sender: { kind: 'agent', id: AGENTS[from]! },
      receiverIds: [AGENTS[(from + to) % 8]!],
      type: 'coordination',
      content: { kind: 'text', text: `No. ${index}` },
      priority: this.random.between(1, 5),
    };
  }

  private populate(): void {
    this.ledger.log.add({ type: 'run-started', runId: RUN, objective: 'Write', options: anyOptions() });
    for (const agentId of AGENTS) {
      const ids = { runId: RUN, taskId: taskIdOf(agentId) };
      this.ledger.log.add(
        { type: 'agent-created', agent: anyAgent({ id: agentId }) },
        { type: 'task-created', ...ids, task: anyTask({ id: ids.taskId, key: agentId }) },
        { type: 'task-ready', ...ids },
        { type: 'task-delegated', ...ids, agentId, candidates: [] },
        { type: 'task-started', ...ids, attempt: 1 },
      );
    }
    this.ledger.sync();
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await Promise.resolve();
  }
}
