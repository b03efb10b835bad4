import { currentRun } from '../../../src/domain/squadState.ts';
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { parseEvent, type SquadEvent } from '../../../src/domain/events.ts';
import { ViewFollower } from '../../../src/protocol/channel.ts';
import { hostMessageSchema, type HostMessage } from '../../../src/protocol/messages.ts';
import { NEWEST, reachOf, sliceOf } from '../../../src/protocol/viewState.ts';
import { eventWithoutBodies } from '../../../src/protocol/withoutBodies.ts';
import { anyMessage, type EventLog, logWithWorkingTask } from '../../support/builders.ts';
import { tellStory } from '../../support/eventGenerator.ts';

describe('a view', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`holds the same after every event as a new slice would, story ${seed}`, () => {
      const follower = new ViewFollower();
      const seen = { slices: 0, batches: 0 };
      follower.follow(asSent(slice(tellStory(seed, 1, () => undefined))));
      tellStory(seed, 700, (log) => {
        const last = log.events.at(-1)!;
        const before = follower.view!;
        const reach = reachOf(currentRun(before.state)?.id, last);
        if (reach === 'slice') {
          seen.slices++;
          follower.follow(asSent(slice(log)));
        } else if (last.sequence > 1) {
          seen.batches++;
          const result = follower.follow(
            asSent(batch(last.sequence - 1, reach === 'apply' ? [last] : [], last.sequence)),
          );
          assert.equal(result, 'changed', last.type);
        }
        assertHolds(follower, log, `after ${last.type}`);
      });
      assert.ok(seen.slices > 2 && seen.batches > 200, JSON.stringify(seen));
    });
  }

  it('keeps the newest messages and follows when an older one moves on', () => {
    const log = logWithWorkingTask();
    const follower = new ViewFollower();
    follower.follow(asSent(slice(log)));
    const send = (...events: SquadEvent[]): unknown =>
      follower.follow(asSent(batch(events[0]!.sequence - 1, events, events.at(-1)!.sequence)));
    for (let index = 1; index <= NEWEST + 3; index++) {
      send(...log.add({ type: 'message-sent', runId: 'run-1', message: anyMessage({ id: `run-1.m${index}` }) }));
    }

    const result = send(...log.add({ type: 'message-delivered', runId: 'run-1', messageId: 'run-1.m1' }));

    assert.equal(result, 'changed');
    assert.equal(Object.keys(currentRun(follower.view!.state)!.messages).length, NEWEST);
    assertHolds(follower, log);
  });

  it('says once that it is behind when something is missing, and goes on from a new slice', () => {
    const log = logWithWorkingTask();
    const follower = new ViewFollower();
    follower.follow(asSent(slice(log)));
    const [lost, next, after] = [1, 2, 3].map(
      (percent) => log.add({ type: 'task-progressed', runId: 'run-1', taskId: 'run-1.greet', note: 'on', percent })[0]!,
    );

    assert.ok(lost);
    assert.equal(follower.follow(asSent(batch(lost.sequence, [next!], next!.sequence))), 'behind');
    assert.equal(follower.follow(asSent(batch(next!.sequence, [after!], after!.sequence))), 'unchanged');
    assert.equal(follower.follow(asSent(slice(log))), 'changed');
    assertHolds(follower, log);
  });

  it('changes nothing on a batch it has had already, or before its first slice', () => {
    const log = logWithWorkingTask();
    const follower = new ViewFollower();
    const old = batch(5, [log.at(6)], 6);

    assert.equal(follower.follow(asSent(old)), 'unchanged');
    follower.follow(asSent(slice(log)));
    assert.equal(follower.follow(asSent(old)), 'unchanged');
  });

  it('is behind, and does not throw, when an event does not fit what it holds', () => {
    const log = logWithWorkingTask();
    const follower = new ViewFollower();
    follower.follow(asSent(slice(log)));
    const foreign = { ...log.at(6), sequence: 7, taskId: 'run-1.unknown' };

    assert.equal(follower.follow(asSent(batch(6, [foreign], 7))), 'behind');
  });
});

describe('what is sent to a view', () => {
  it('has no body in it, whatever the event', () => {
    const secret = 'BODY';
    const log = logWithWorkingTask();
    const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1 };
    log.add(
      { type: 'conversation-opened', ...ids, instructions: secret, brief: secret },
      { type: 'conversation-noted', ...ids, text: secret },
      { type: 'model-call-started', ...ids, callId: 'c', model: 'm', reservedTokens: 9 },
      {
        type: 'model-call-ended',
        ...ids,
        callId: 'c',
        model: 'm',
        answer: {
          text: secret,
          toolCalls: [{ id: '1', name: 'write_file', argumentsText: secret }],
          finishReason: 'stop',
        },
        usage: { inputTokens: 1, outputTokens: 1, source: 'provider' },
      },
      { type: 'tool-call-ended', ...ids, callId: 'c', step: 1, tool: 'read_file', outcome: 'ok', result: secret },
      { type: 'task-claimed', ...ids, summary: 'done', artifacts: { text: secret } },
      {
        type: 'check-ended',
        ...ids,
        result: { index: 0, stage: 'task', passed: true, summary: 'ok', output: secret, tree: 't', durationMs: 1 },
      },
    );

    assert.equal(JSON.stringify(log.state).includes(secret), true);
    assert.equal(JSON.stringify(slice(log)).includes(secret), false);
    assert.equal(JSON.stringify(log.events.map(eventWithoutBodies)).includes(secret), false);
  });

  it('still parses as the events they are', () => {
    const log = tellStory(11, 600, () => undefined);

    for (const event of log.events) {
      const sent = JSON.parse(JSON.stringify(eventWithoutBodies(event))) as unknown;
      assert.equal(parseEvent(sent).type, event.type);
    }
  });
});

function slice(log: EventLog): HostMessage & { type: 'slice' } {
  const { state, events } = sliceOf(log.state, eventsOf(log));
  return { type: 'slice', state, events };
}

function batch(after: number, events: readonly SquadEvent[], through: number): HostMessage & { type: 'events' } {
  return { type: 'events', after, through, events: events.map(eventWithoutBodies) };
}

function eventsOf(log: EventLog): SquadEvent[] {
  const runId = currentRun(log.state)?.id;
  return log.events.filter((event) => event.runId !== undefined && event.runId === runId);
}

/** Through the wire and the door, as in a page. */
function asSent<Message extends HostMessage>(message: Message): Message {
  // What parses as a message of this type is one.
  return hostMessageSchema.parse(JSON.parse(JSON.stringify(message))) as Message;
}

/** What a new slice would hold, as the wire would bring it. What is equal before the wire is so behind it, and costs less. */
function assertHolds(follower: ViewFollower, log: EventLog, message?: string): void {
  const [held, expected] = [follower.view, sliceOf(log.state, eventsOf(log))];
  if (!isDeepStrictEqual(held, expected)) {
    assert.deepEqual(JSON.parse(JSON.stringify(held)), JSON.parse(JSON.stringify(expected)), message);
  }
}
