import assert from 'node:assert/strict';
import type { RequestSubject } from '../../../src/domain/approval.ts';
import { PERSON } from '../../../src/domain/events.ts';
import { describeRequest } from '../../../src/domain/requestWords.ts';
import { Inbox } from '../../../src/inbox/inbox.ts';
import { RequestExpiry } from '../../../src/services/requestExpiry.ts';
import { anyOptions, EventLog } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

const COMMAND: RequestSubject = { kind: 'command', command: 'make', cwd: '.', why: 'It is not on the list.' };
const MINUTE = 60_000;

class Waiting {
  readonly log = new EventLog();
  readonly clock = new VirtualClock();
  readonly ledger = new MemoryLedger(this.log);
  private readonly inbox = new Inbox(this.ledger, this.clock);
  private expiry = new RequestExpiry(this.ledger, this.clock);
  private asked = 0;

  constructor(options: { requestMinutes?: number }) {
    this.log.add({ type: 'run-started', runId: 'run-1', objective: 'Greet', options: anyOptions(options) });
  }

  ask(subject: RequestSubject): string {
    const id = `run-1.one.${++this.asked}`;
    void this.inbox.ask({ id, runId: 'run-1', subject }, new AbortController().signal);
    return id;
  }

  allow(id: string): Promise<void> {
    return this.inbox.answer(id, { kind: 'allow' }, 'editor');
  }

  restart(): void {
    this.expiry.dispose();
    this.expiry = new RequestExpiry(this.ledger, this.clock);
  }

  async pass(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      this.clock.advance(MINUTE);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  request(id: string) {
    const request = this.ledger.state.runs['run-1']?.requests[id];
    assert.ok(request);
    return request;
  }

  answer(id: string): unknown {
    return this.request(id).answer;
  }
}

const EXPIRED = { kind: 'deny', reason: 'Nobody answered within 30 minutes.' };

describe('a request that nobody answers', () => {
  it('counts as refused after the minutes of its run, and says so before', async () => {
    const waiting = new Waiting({ requestMinutes: 30 });
    const id = waiting.ask(COMMAND);
    assert.match(
      describeRequest(waiting.request(id)).paragraphs.join('\n'),
      /If nobody answers within 30 minutes, it counts as refused\./,
    );
    await waiting.pass(29);
    assert.equal(waiting.answer(id), undefined);
    await waiting.pass(1);
    assert.deepEqual(waiting.answer(id), EXPIRED);
    await assert.rejects(
      async () => waiting.allow(id),
      /needs no answer any more: Nobody answered within 30 minutes\./,
    );
  });

  it('waits for ever where its run says nothing, and where the run itself waits for it', async () => {
    const patient = new Waiting({});
    const hurried = new Waiting({ requestMinutes: 1 });
    const ids = [
      hurried.ask({ kind: 'question', question: 'Which?', options: [] }),
      hurried.ask({ kind: 'plan', revision: 1, summary: 'A plan', checks: [] }),
      hurried.ask({ ...COMMAND, isCheck: true }),
    ];
    const id = patient.ask(COMMAND);
    await patient.pass(3000);
    await hurried.pass(3000);
    assert.equal(patient.answer(id), undefined);
    assert.deepEqual(
      ids.map((each) => hurried.answer(each)),
      [undefined, undefined, undefined],
    );
  });

  it('is answered once: what a person said in time stays', async () => {
    const waiting = new Waiting({ requestMinutes: 30 });
    const id = waiting.ask(COMMAND);
    await waiting.pass(29);
    await waiting.allow(id);
    await waiting.pass(5);
    assert.deepEqual(waiting.answer(id), { kind: 'allow' });
    assert.equal(waiting.log.events.filter(({ type }) => type === 'request-expired').length, 0);
  });

  it('is counted no more once its run is put away', async () => {
    const waiting = new Waiting({ requestMinutes: 30 });
    waiting.ask(COMMAND);
    waiting.log.add({ type: 'run-archived', runId: 'run-1', actor: PERSON, causedBy: 1, reason: 'It is over.' });
    await waiting.pass(1);
    let counted = 0;
    const sleep = waiting.clock.sleep.bind(waiting.clock);
    waiting.clock.sleep = (ms, signal) => {
      counted += 1;
      return sleep(ms, signal);
    };
    await waiting.pass(3);
    assert.equal(counted, 0);
  });

  it('has its whole time anew after a restart, and none passes while the run stands still', async () => {
    const waiting = new Waiting({ requestMinutes: 30 });
    const id = waiting.ask(COMMAND);
    await waiting.pass(29);
    waiting.restart();
    await waiting.pass(20);
    waiting.log.add({ type: 'run-paused', runId: 'run-1', actor: PERSON });
    await waiting.pass(100);
    assert.equal(waiting.answer(id), undefined);
    waiting.log.add({ type: 'run-resumed', runId: 'run-1', actor: PERSON });
    await waiting.pass(10);
    assert.deepEqual(waiting.answer(id), EXPIRED);
  });
});
