import assert from 'node:assert/strict';
import { NEWEST_OVER, waitingCount, waitingIds, wasSent } from '../../../src/domain/mailbox.ts';
import type { Run } from '../../../src/domain/run.ts';
import { apply } from '../../../src/domain/squadState.ts';
import { EVENT_VERSION, RUNTIME, type SquadEvent } from '../../../src/domain/events.ts';
import { anyMessage, anyOptions, EventLog } from '../../support/builders.ts';

const receiver = { kind: 'agent', id: 'coding-1' } as const;
const runId = 'run-1';

describe('a mailbox', () => {
  let log: EventLog;
  let run: Run;
  beforeEach(() => {
    log = new EventLog();
    log.add({ type: 'run-started', runId, objective: 'Greet', options: anyOptions() });
    run = log.state.runs[runId]!;
  });

  const send = (id: string, priority = 3, type: 'coordination' | 'task_request' = 'coordination'): void => {
    log.add({ type: 'message-sent', runId, message: anyMessage({ id, receiver, priority, type }) });
  };
  const take = (messageId: string): void => {
    log.add({ type: 'message-acknowledged', runId, messageId });
  };
  const waiting = (): string[] => [...waitingIds(run.mail, receiver.id)];

  it('gives out the higher priority first, and of one priority the older', () => {
    for (const [id, priority] of [
      ['a', 1],
      ['b', 5],
      ['c', 3],
      ['d', 5],
      ['e', 2],
    ] as const) {
      send(id, priority);
    }
    assert.deepEqual(waiting(), ['b', 'd', 'c', 'e', 'a']);
  });

  it('lets a message of the lowest priority wait for at most 64 later ones of the highest', () => {
    send('low', 1);
    let overtaken = -1;
    for (let taken = ''; taken !== 'low'; overtaken++) {
      send(`high-${overtaken}`, 5);
      taken = waiting()[0]!;
      take(taken);
      assert.ok(overtaken < 200);
    }
    assert.ok(overtaken > 10 && overtaken <= 64, `overtaken by ${overtaken}`);
  });

  it('keeps that order when the clock goes back', () => {
    send('first');
    log.add({ type: 'work-clocked', runId, workedMs: 1 });
    const earlier = { ...log.events.at(-1)!, type: 'message-sent', at: '2020-01-01T00:00:00.000Z' };
    const message = anyMessage({ id: 'second', receiver });
    apply(log.state, { ...earlier, version: EVENT_VERSION, actor: RUNTIME, message } as SquadEvent);
    assert.deepEqual(waiting(), ['first', 'second']);
  });

  it('takes out of the middle what was taken in out of turn', () => {
    ['a', 'b', 'c', 'd'].forEach((id) => {
      send(id);
    });
    take('b');
    take('a');
    assert.deepEqual(waiting(), ['c', 'd']);
    assert.equal(waitingCount(run.mail, receiver.id), 2);
  });

  it('holds of an inbox in which nothing waits that it is there', () => {
    send('a');
    take('a');
    const lane = { ids: [], places: [], start: 0, waiting: 0 };
    assert.deepEqual(run.mail.inboxes, {
      [receiver.id]: { waiting: 0, places: {}, lastPlace: 0, lanes: { 3: lane } },
    });
  });

  it('keeps the newest that are over, and knows of all that they were sent', () => {
    for (let index = 0; index < NEWEST_OVER + 20; index++) {
      send(`m${index}`);
      take(`m${index}`);
    }
    assert.equal(Object.keys(run.messages).length, NEWEST_OVER);
    assert.ok(!run.messages['m19'] && run.messages['m20']);
    assert.ok(wasSent(run.mail, 'm0'));
    assert.ok(!wasSent(run.mail, 'constructor'));
  });

  it('of 100,000 that wait and half that are taken holds no more than what waits', () => {
    for (let index = 0; index < 100_000; index++) {
      send(`m${index}`, 1 + (index % 5), index % 7 === 0 ? 'task_request' : 'coordination');
    }
    for (let taken = 0; taken < 50_000; taken++) {
      const [next] = waitingIds(run.mail, receiver.id);
      take(next!);
    }
    const inbox = run.mail.inboxes[receiver.id]!;
    const lanes = Object.values(inbox.lanes);
    assert.equal(inbox.waiting, 50_000);
    assert.equal(Object.keys(inbox.places).length, 50_000);
    assert.equal(Object.keys(run.messages).length, 50_000 + NEWEST_OVER);
    const entries = lanes.reduce((sum, { ids }) => sum + ids.length, 0);
    assert.ok(entries <= 2 * 50_000 + lanes.length * 33, `${entries} entries in the lanes`);
    assert.ok(lanes.every(({ ids, places }) => ids.length === places.length));
  }).timeout(20_000);
});
