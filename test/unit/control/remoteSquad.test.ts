import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RemoteSquad, type OwnerLoss } from '../../../src/control/remoteSquad.ts';
import type { SharedSquad } from '../../../src/control/sharedSquad.ts';
import { serveWindow } from '../../../src/control/windowServer.ts';
import type { SquadEvent } from '../../../src/domain/events.ts';
import { openRequests } from '../../../src/domain/requestState.ts';
import type { LanguageModel } from '../../../src/ports.ts';
import { systemClock } from '../../../src/host/clock.ts';
import { windowStateOf } from '../../../src/protocol/windowState.ts';
import { anyOptions, EventLog, logWithWorkingTask } from '../../support/builders.ts';
import { tellStory } from '../../support/eventGenerator.ts';
import { LineEnd } from '../../support/linePair.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { FakeSquad, silentLogger } from '../../support/viewedSquad.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

/** More than a question takes to its answer, and an event to the last message about it. */
const TURNS = 40;
/** More than a whole story takes. */
const MOST_TURNS = 100_000;

describe('a squad that another process owns', () => {
  afterEach(() => {
    TwoProcesses.endAll();
  });

  for (const everyEvent of [false, true]) {
    it(`has the state that its owner has, through any story, ${everyEvent ? 'with whole' : 'without bodies of'} events`, async () => {
      for (const seed of [3, 4, 5]) {
        const story = tellStory(seed, 700, () => undefined).events;
        const two = await TwoProcesses.start(new EventLog(), { everyEvent });
        for (const [index, event] of story.entries()) {
          two.ledger.tell(event);
          if (index % 41 === 0) {
            await two.agree();
          }
        }
        await two.agree();
        assert.deepEqual(
          two.heard.map(({ sequence }) => sequence),
          story.map(({ sequence }) => sequence),
        );
        if (everyEvent) {
          assert.deepEqual(two.heard, story);
        }
      }
    });
  }

  it('can be stopped, paused and gone on with, by its owner’s word', async () => {
    const two = await TwoProcesses.start();

    await two.squad.runs.pause('run-1');
    await two.squad.runs.resume('run-1', 'editor');
    assert.deepEqual(await two.squad.runs.stopAll('editor'), ['run-1']);
    assert.deepEqual(await two.squad.runs.resumeAll('editor'), ['run-1']);
    await assert.rejects(async () => two.squad.runs.pause('run-7'), /not there any more/);

    assert.deepEqual(two.owner.asked, ['pause run-1', 'resume run-1', 'stop', 'recover']);
  });

  it('starts a run with the owner’s models, and says when they are not there', async () => {
    const two = await TwoProcesses.start();
    assert.equal(await two.squad.runs.start('Do it', anyOptions()), 'run-9');
    await assert.rejects(two.squad.runs.start('Do it', anyOptions({ model: { door: 'editor' } })), /no such model/);
  });

  it('scales the team where it lives, and refuses a number that makes no sense before that', async () => {
    const two = await TwoProcesses.start();
    await two.squad.team.scale('coding', 3);
    assert.deepEqual(two.owner.asked, ['scale coding 3']);
    await assert.rejects(two.squad.team.scale('coding', -1));
    assert.deepEqual(two.owner.asked, ['scale coding 3']);
  });

  it('gives events of the past and files as they are', async () => {
    const two = await TwoProcesses.start();
    assert.deepEqual(await two.squad.ledger.read(2), two.ledger.state.sequence >= 2 && (await two.ledger.read(2)));
    assert.deepEqual(await two.squad.runs.fileAt('run-1', 'after', 'a'), Buffer.from([0, 255, 10]));
    assert.equal(await two.squad.runs.fileAt('run-1', 'before', 'a'), undefined);
  });

  it('takes an answer with the nonce that was given for it, once', async () => {
    const two = await TwoProcesses.start();
    two.openRequest('run-1.r1');
    two.openRequest('run-1.r2');
    await two.settled();

    await two.squad.inbox.answer('run-1.r1', { kind: 'allow' }, 'editor');

    assert.deepEqual(two.ledger.state.runs['run-1']?.requests['run-1.r1']?.answer, { kind: 'allow' });
    const answer = two.window.sent.findLast((line) => JSON.stringify(line).includes('"answer"'));
    two.window.send({ ...answer, id: 900 });
    two.window.send({ id: 901, request: { ...requestOf(answer), requestId: 'run-1.r2' } });
    two.window.send({ id: 902, request: { ...requestOf(answer), requestId: 'run-1.r2', nonce: '' } });
    await two.settled();
    assert.deepEqual(
      [900, 901, 902].map((id) => two.replyTo(id)?.type),
      ['failed', 'failed', 'failed'],
    );
    assert.deepEqual(
      openRequests(two.ledger.state.runs['run-1']).map(({ id }) => id),
      ['run-1.r2'],
    );
  });

  it('gets a new slice when it reads too slowly, and holds nobody up', async () => {
    const two = await TwoProcesses.start();
    two.ownerLine.isStuck = true;
    two.progress(1);
    await two.settled();
    two.ownerLine.backlog = 50 * 1024 * 1024;
    const before = two.ownerLine.sent.length;
    for (let percent = 2; percent < 90; percent++) {
      two.progress(percent);
      await nextTurn();
    }
    assert.ok(two.ownerLine.sent.length <= before + 1, 'nothing more was sent');

    two.ownerLine.drain();
    await two.settled();

    await two.agree();
    two.progress(95);
    await two.settled();
    await two.agree();
  });

  it('is not hurt by what another process says, whatever it is', async () => {
    const two = await TwoProcesses.start();
    const garbage: unknown[] = [
      undefined,
      null,
      7,
      'x',
      [],
      {},
      { id: 'a' },
      { id: 1e300, request: {} },
      { id: 5, request: { type: 'pause' } },
      { id: 6, request: { type: '__proto__', runId: 'constructor' } },
      { id: 7, request: { type: 'pause', runId: '__proto__' } },
      { id: 8, request: { type: 'file', runId: 'run-1', side: 'after', path: 'x'.repeat(5000) } },
      { id: 10, request: { ...SAYING, senderId: 'planning-1' } },
      { id: 11, request: { ...SAYING, priority: 0 } },
      { id: 12, request: { ...SAYING, messageType: 'unknown' } },
      { id: 13, request: { type: 'scale', role: 'coding', count: 'many' } },
      { id: 14, request: { type: 'runShell', command: 'ls' } },
      { id: 9, request: { type: 'answer', requestId: 'r', nonce: 'n', answer: { kind: 'allow', door: 'policy' } } },
    ];
    for (const value of garbage) {
      two.hand(value);
    }
    await two.settled();
    two.progress(50);
    await two.settled();
    await two.agree();
    assert.deepEqual(two.owner.asked, []);
    assert.ok(!JSON.stringify(two.ledger.state).includes('Forged'));
  });

  it('is left out when it asks for more than anybody needs at once', async () => {
    const two = await TwoProcesses.start();
    for (let id = 0; id < 200; id++) {
      two.hand({ id, request: { type: 'file', runId: 'run-1', side: 'after', path: 'slow' } });
    }
    await two.settled();
    assert.deepEqual(two.losses, ['gone']);
  });

  it('refuses whoever speaks another version, in words', () => {
    const { owner, window } = LineEnd.pair();
    const squad = sharedSquad(new FakeSquad(new MemoryLedger(logWithWorkingTask())));
    const options = { squad, models: MODELS, clock: systemClock, logger: silentLogger };
    serveWindow(owner, { type: 'attach', version: 99, host: 'editor', everyEvent: false }, options);
    assert.match(JSON.stringify(owner.sent), /Another version of DevSquad/);
    assert.equal(window.sent.length, 0);
  });

  it('says when the owner is gone, and nothing that was asked is left open', async () => {
    const two = await TwoProcesses.start();
    two.ownerLine.isStuck = true;
    const asked = two.squad.runs.pause('run-1');
    two.ownerLine.close();
    await assert.rejects(async () => asked, /has just closed/);
    await assert.rejects(async () => two.squad.runs.pause('run-1'), /has just closed/);
    assert.deepEqual(two.losses, ['gone']);
  });

  it('says when the owner does not answer any more', async () => {
    const clock = new VirtualClock();
    const two = await TwoProcesses.start(logWithWorkingTask(), { clock });
    clock.advance(10_000);
    await two.settled();
    assert.deepEqual(two.losses, []);

    two.ownerLine.isStuck = true;
    for (const ms of [10_000, 1_000, 10_000, 1_000]) {
      clock.advance(ms);
      await two.settled();
    }

    assert.deepEqual(two.losses, ['silent']);
  });
});

/** A message of the person, but for what each case adds. */
const SAYING = {
  type: 'say',
  messageId: 'm-1',
  receiverId: 'agent-1',
  messageType: 'coordination',
  content: { kind: 'text', text: 'Forged' },
  priority: 3,
};

const MODELS = {
  select: (choice: { door: string }): Promise<LanguageModel> =>
    choice.door === 'editor' ? Promise.reject(new Error('no such model')) : Promise.resolve({} as LanguageModel),
};

function sharedSquad(owner: FakeSquad): SharedSquad {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    ledger: owner.ledger,
    inbox: owner.inbox,
    runs: {
      ...owner.runs,
      start: () => Promise.resolve('run-9'),
      fileAt: (_, side, path) =>
        path === 'slow'
          ? new Promise(() => undefined)
          : Promise.resolve(side === 'after' ? Uint8Array.from([0, 255, 10]) : undefined),
      apply: nothing,
      branch: nothing,
      discard: nothing,
      undo: nothing,
    },
    communication: { sendMessage: nothing, sendAgain: nothing },
    team: {
      scale: (role, count) => {
        owner.asked.push(`scale ${role} ${count}`);
        return Promise.resolve();
      },
      health: () => [],
    },
  };
}

function requestOf(line: unknown): object {
  // A line that the window itself has sent.
  return (line as { request: object }).request;
}

const running: RemoteSquad[] = [];

/** An owner and a window, with a line between them. */
class TwoProcesses {
  readonly ledger: MemoryLedger;
  readonly owner: FakeSquad;
  readonly ownerLine: LineEnd;
  readonly window: LineEnd;
  readonly squad: RemoteSquad;
  readonly heard: SquadEvent[] = [];
  readonly losses: OwnerLoss[] = [];

  static async start(
    log = logWithWorkingTask(),
    { everyEvent = false, clock = systemClock }: { everyEvent?: boolean; clock?: typeof systemClock } = {},
  ): Promise<TwoProcesses> {
    const owner = new FakeSquad(new MemoryLedger(log));
    const { owner: ownerLine, window } = LineEnd.pair();
    const fast = { ...systemClock, sleep: (_: number, signal: AbortSignal) => nextTurn(undefined, { signal }) };
    const options = { squad: sharedSquad(owner), models: MODELS, clock: fast, logger: silentLogger };
    ownerLine.handTo((request) => {
      serveWindow(ownerLine, request, options);
    });
    const squad = await RemoteSquad.attach(
      { line: window, token: 't', host: 'editor', everyEvent, clock, logger: silentLogger },
      new AbortController().signal,
    );
    running.push(squad);
    return new TwoProcesses(owner, ownerLine, window, squad);
  }

  private constructor(owner: FakeSquad, ownerLine: LineEnd, window: LineEnd, squad: RemoteSquad) {
    this.owner = owner;
    this.ledger = owner.ledger;
    this.ownerLine = ownerLine;
    this.window = window;
    this.squad = squad;
    squad.ledger.onDidAppend((event) => this.heard.push(event));
    squad.onDidLose((loss) => this.losses.push(loss));
  }

  /** As if the window had sent it. */
  hand(value: unknown): void {
    // The line's own JSON cannot say undefined; a line that is no JSON comes so.
    this.window.send(value as object);
  }

  progress(percent: number): void {
    const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1, actor: { kind: 'agent', id: 'agent-1' } as const };
    this.ledger.append({ type: 'task-progressed', ...ids, note: 'on', percent });
  }

  openRequest(id: string): void {
    const subject = { kind: 'command' as const, command: 'ls', cwd: '.', why: 'to see' };
    const actor = { kind: 'agent', id: 'agent-1' } as const;
    this.ledger.append({ type: 'request-opened', runId: 'run-1', actor, request: { id, runId: 'run-1', subject } });
  }

  replyTo(id: number): { type: string } | undefined {
    return this.ownerLine.sent.find((line) => 'id' in line && line.id === id) as { type: string } | undefined;
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      await nextTurn();
    }
  }

  async agree(): Promise<void> {
    const isBehind = (): boolean => this.squad.ledger.state.sequence !== this.ledger.state.sequence;
    for (let turn = 0; turn < MOST_TURNS && isBehind(); turn++) {
      await nextTurn();
    }
    assert.deepEqual(this.squad.ledger.state, windowStateOf(this.ledger.state));
  }

  static endAll(): void {
    for (const squad of running.splice(0)) {
      squad.dispose();
    }
  }
}
