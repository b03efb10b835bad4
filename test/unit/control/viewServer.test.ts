import { currentRun } from '../../../src/domain/squadState.ts';
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RUNTIME } from '../../../src/domain/events.ts';
import { ViewServer } from '../../../src/control/viewServer.ts';
import { ViewFollower } from '../../../src/protocol/channel.ts';
import type { HostMessage } from '../../../src/protocol/messages.ts';
import { sliceOf } from '../../../src/protocol/viewState.ts';
import { DoneTasks } from '../../support/doneTasks.ts';
import { EventLog, logWithWorkingTask } from '../../support/builders.ts';
import { tellStory } from '../../support/eventGenerator.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { FakeSquad, silentLogger } from '../../support/viewedSquad.ts';

/** More than the server takes from an event to the last message about it. */
const TURNS = 20;

describe('a view server', () => {
  it('sends nothing before the page asks, then a slice, then what happens', async () => {
    const view = new TestView(logWithWorkingTask());
    view.progress(10);
    await view.settled();
    assert.deepEqual(view.types(), []);

    await view.server.receive({ type: 'ready' });
    await view.settled();
    view.progress(20);
    await view.settled();

    assert.deepEqual(view.types(), ['slice', 'events']);
    view.agrees();
  });

  it('says with all it sends what is left to spend, as long as that is foretold', async () => {
    const record = new DoneTasks();
    record.past('generate-code', [1000, 3000]);
    const { id } = record.planned('generate-code');
    record.task(id, 't0', { role: 'coding', type: 'generate-code' }, 0);
    const view = new TestView(record.log);
    const told = (): unknown => {
      const last = view.messages.at(-1);
      return last && 'toGo' in last ? last.toGo.words : undefined;
    };
    await view.server.receive({ type: 'ready' });
    await view.settled();
    assert.equal(told(), 'about 1k–3k tokens to go');

    const ids = { runId: id, taskId: `${id}.t0`, actor: RUNTIME };
    const call = { callId: 'c-1', model: 'm' };
    const answer = { text: '', toolCalls: [], finishReason: 'stop' as const };
    const usage = { inputTokens: 500, outputTokens: 0, source: 'provider' as const };
    view.squad.ledger.append(
      { type: 'model-call-started', ...ids, ...call, reservedTokens: 600 },
      { type: 'model-call-ended', ...ids, ...call, answer, usage },
    );
    await view.settled();
    assert.equal(told(), 'about 500–2.5k tokens to go');
    view.squad.ledger.append({ type: 'task-proven', ...ids, commit: 'c', tree: 't' });
    await view.settled();
    assert.equal(view.types().at(-1), 'events');
    assert.equal(told(), undefined);
  });

  it('puts what happens at once into one message', async () => {
    const view = new TestView(logWithWorkingTask());
    await view.server.receive({ type: 'ready' });
    await view.settled();

    for (let percent = 0; percent < 100; percent++) {
      view.progress(percent);
    }
    await view.settled();

    assert.ok(view.types().length <= 3, view.types().join());
    view.agrees();
  });

  it('sends nothing to a hidden view, and a new slice when it is back', async () => {
    const view = new TestView(logWithWorkingTask());
    await view.server.receive({ type: 'ready' });
    await view.settled();
    view.server.setVisible(false);
    view.progress(10);
    await view.settled();
    assert.deepEqual(view.types(), ['slice']);

    view.server.setVisible(true);
    await view.settled();

    assert.deepEqual(view.types(), ['slice', 'slice']);
    view.agrees();
  });

  it('sends a new slice to a page that lost a message and asks to catch up', async () => {
    const view = new TestView(logWithWorkingTask());
    await view.server.receive({ type: 'ready' });
    await view.settled();
    view.isLosing = true;
    view.progress(10);
    await view.settled();
    view.isLosing = false;
    view.progress(20);
    await view.settled();

    view.agrees();
    assert.deepEqual(view.types(), ['slice', 'events', 'slice']);
  });

  it('agrees with the living state through any story, told in bursts', async () => {
    const story = tellStory(21, 900, () => undefined).events;
    const view = new TestView(new EventLog());
    await view.server.receive({ type: 'ready' });
    for (const [index, event] of story.entries()) {
      view.squad.ledger.tell(event);
      if (index % 37 === 0) {
        await view.settled();
        view.agrees();
      }
    }
    await view.settled();
    view.agrees();
  });

  it('tells the page when the ledger is closed', async () => {
    const view = new TestView(logWithWorkingTask());
    view.squad.ledger.isOpen = false;

    await view.server.receive({ type: 'ready' });
    await view.settled();

    assert.deepEqual(view.types(), ['no-squad']);
  });

  it('says why a request was not done', async () => {
    const view = new TestView(logWithWorkingTask());

    await view.server.receive({ type: 'pause', runId: 'run-7' });

    assert.deepEqual(view.messages, [{ type: 'refused', message: 'This run is not there any more.' }]);
  });
});

/** A page without a browser: follows, and asks to catch up. */
class TestView {
  readonly squad: FakeSquad;
  readonly messages: HostMessage[] = [];
  readonly server: ViewServer;
  isLosing = false;
  private readonly log: EventLog;
  private readonly follower = new ViewFollower();

  constructor(log: EventLog) {
    this.log = log;
    this.squad = new FakeSquad(new MemoryLedger(log));
    this.server = new ViewServer({
      squad: this.squad,
      // Turns of the event loop, and no time: a busy machine must not be taken for a server that has said all.
      clock: { sleep: () => nextTurn() },
      logger: silentLogger,
      execute: () => undefined,
      post: (message) => {
        this.take(structuredClone(message));
      },
    });
  }

  progress(percent: number): void {
    const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1, actor: { kind: 'agent', id: 'agent-1' } as const };
    this.squad.ledger.append({ type: 'task-progressed', ...ids, note: 'on', percent });
  }

  types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      await nextTurn();
    }
  }

  agrees(): void {
    const runId = currentRun(this.log.state)?.id;
    const events = this.log.events.filter((event) => event.runId !== undefined && event.runId === runId);
    assert.ok(this.follower.view);
    const expected = sliceOf(this.log.state, events);
    // Behind by what is none of its business.
    assert.deepEqual({ ...this.follower.view.state, sequence: 0 }, { ...expected.state, sequence: 0 });
    assert.deepEqual(
      this.follower.view.events.map(({ sequence }) => sequence),
      expected.events.map(({ sequence }) => sequence),
    );
  }

  private take(message: HostMessage): void {
    if (this.isLosing) {
      return;
    }
    this.messages.push(message);
    if ((message.type === 'slice' || message.type === 'events') && this.follower.follow(message) === 'behind') {
      void this.server.receive({ type: 'catch-up', sequence: this.follower.view?.state.sequence ?? 0 });
    }
  }
}
