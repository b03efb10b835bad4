import assert from 'node:assert/strict';
import { NEWEST_OVER } from '../../../src/domain/mailbox.ts';
import { AgentCommunicationService } from '../../../src/services/agentCommunicationService.ts';
import type { Letter } from '../../../src/services/outbox.ts';
import { anyAgent, anyTask, logWithWorkingTask, type EventLog } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';

const letter = (fields: Partial<Letter> = {}): Letter => ({
  id: 'm1',
  runId: 'run-1',
  sender: { kind: 'person', id: 'you' },
  receiverIds: ['agent-1'],
  type: 'coordination',
  content: { kind: 'text', text: 'Hello' },
  priority: 3,
  ...fields,
});

describe('the mail', () => {
  let log: EventLog;
  let mail: AgentCommunicationService;
  beforeEach(() => {
    log = logWithWorkingTask();
    mail = new AgentCommunicationService(new MemoryLedger(log));
  });

  const typesOf = (): string[] => log.events.map(({ type }) => type).filter((type) => type.startsWith('message-'));

  it('is sent once however often it is posted, also when the state has let it go', async () => {
    await mail.post(letter());
    await mail.post(letter());
    await mail.acknowledge('m1');
    for (let index = 0; index < NEWEST_OVER; index++) {
      await mail.post(letter({ id: `later-${index}` }));
      await mail.acknowledge(`later-${index}`);
    }
    assert.equal(log.state.runs['run-1']!.messages['m1'], undefined);

    await mail.post(letter());
    await mail.acknowledge('m1');

    assert.equal(log.events.filter((event) => event.type === 'message-sent' && event.message.id === 'm1').length, 1);
    assert.deepEqual(await mail.receiveMessages('agent-1'), []);
  });

  it('is delivered again until it is acknowledged, and marked delivered once', async () => {
    await mail.post(letter());
    assert.equal((await mail.receiveMessages('agent-1')).length, 1);
    assert.equal((await mail.receiveMessages('agent-1')).length, 1);
    await mail.acknowledge('m1');
    await mail.acknowledge('m1');
    assert.equal((await mail.receiveMessages('agent-1')).length, 0);
    assert.deepEqual(typesOf(), ['message-sent', 'message-delivered', 'message-acknowledged']);
  });

  it('says of each event which try of which task it belongs to', async () => {
    log.add(
      { type: 'agent-created', agent: anyAgent({ id: 'agent-2' }) },
      { type: 'task-created', runId: 'run-1', taskId: 'run-1.two', task: anyTask({ id: 'run-1.two', key: 'two' }) },
      { type: 'task-ready', runId: 'run-1', taskId: 'run-1.two' },
      { type: 'task-delegated', runId: 'run-1', taskId: 'run-1.two', agentId: 'agent-2', candidates: [] },
      { type: 'task-started', runId: 'run-1', taskId: 'run-1.two' },
    );
    await mail.post(letter({ sender: { kind: 'agent', id: 'agent-2' } }));
    await mail.receiveMessages('agent-1');
    await mail.acknowledge('m1');
    const tasks = log.events
      .filter(({ type }) => type.startsWith('message-'))
      .map(({ taskId, attempt }) => [taskId, attempt]);
    assert.deepEqual(tasks, [
      ['run-1.two', 1],
      ['run-1.greet', 1],
      ['run-1.greet', 1],
    ]);
  });

  it('of another run waits while the agent works in this one', async () => {
    log.add({ type: 'run-started', runId: 'run-2', objective: 'Other', options: log.state.runs['run-1']!.options });
    await mail.post(letter({ runId: 'run-2', id: 'other' }));
    assert.equal(mail.hasMail('agent-1'), false);
    assert.deepEqual(await mail.receiveMessages('agent-1'), []);
    log.add({ type: 'task-failed', runId: 'run-1', taskId: 'run-1.greet', reason: 'no' });
    assert.equal((await mail.receiveMessages('agent-1')).length, 1);
  });

  const twoMore = (): void => {
    log.add(
      { type: 'agent-created', agent: anyAgent({ id: 'agent-2' }) },
      { type: 'agent-created', agent: anyAgent({ id: 'agent-3' }) },
    );
  };
  const idsFor = async (agentId: string, filter = {}) =>
    (await mail.receiveMessages(agentId, filter)).map(({ id }) => id);

  it('to several is one message for each, with an id in common; once more sends nothing', async () => {
    twoMore();
    const message = {
      id: 'all',
      senderId: 'agent-1',
      type: 'status_update',
      priority: 3,
      timestamp: new Date(),
    } as const;
    const content = { kind: 'text', text: 'Hello' } as const;
    await mail.broadcastToAgents(['agent-2', 'agent-3'], { ...message, content });
    await mail.broadcastToAgents(['agent-2', 'agent-3'], { ...message, content });
    assert.deepEqual(await idsFor('agent-2'), ['all/agent-2']);
    assert.deepEqual(await idsFor('agent-3'), ['all/agent-3']);
    const common = Object.values(log.state.runs['run-1']!.messages).map(({ broadcastId }) => broadcastId);
    assert.deepEqual(common, ['all', 'all']);
  });

  it('is received by type, sender, thread and priority, and the rest stays', async () => {
    twoMore();
    await mail.post(letter({ id: 'a', priority: 5, threadId: 't' }));
    await mail.post(letter({ id: 'b', type: 'status_update', sender: { kind: 'agent', id: 'agent-2' } }));
    assert.deepEqual(await idsFor('agent-1', { threadId: 't' }), ['a']);
    assert.deepEqual(await idsFor('agent-1', { type: 'status_update' }), ['b']);
    assert.deepEqual(await idsFor('agent-1', { senderId: 'agent-2' }), ['b']);
    assert.deepEqual(await idsFor('agent-1', { priority: 4 }), ['a']);
    assert.deepEqual(await idsFor('agent-1'), ['a', 'b']);
  });

  it('is not written down when it has no known type, a priority that nobody has, or no content', async () => {
    const before = log.events.length;
    const wrong: object[] = [
      { type: 'unknown' },
      { type: '__proto__' },
      { priority: 0 },
      { priority: 6 },
      { priority: 2.5 },
      { priority: NaN },
      { content: { kind: 'text', text: '' } },
      { content: { kind: 'order', text: 'Do it' } },
    ];
    for (const fields of wrong) {
      // The compiler knows better; what comes over a line or from a model does not.
      await assert.rejects(mail.post({ ...letter({ id: 'wrong' }), ...fields }), JSON.stringify(fields));
    }
    assert.equal(log.events.length, before);
  });

  it('is told to whoever subscribed, until it ends that', async () => {
    const told: string[] = [];
    const end = new AbortController();
    await mail.subscribeToMessages('agent-1', ({ id }) => told.push(id), end.signal, { priority: 4 });
    await mail.post(letter({ id: 'low', priority: 1 }));
    await mail.post(letter({ id: 'high', priority: 4 }));
    await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    await mail.post(letter({ id: 'late', priority: 5 }));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, ['high']);
  });

  it('is told in the order in which it came, also where a text has to be read back, and of what is over to nobody', async () => {
    const told: string[] = [];
    await mail.subscribeToMessages('agent-1', ({ id, content }) => {
      told.push(`${id} ${content.kind === 'text' ? content.text.length : ''}`);
    });
    const sent = [5_000, 1, 6_000, 2].map((length, index) =>
      mail.post(letter({ id: `m${index}`, content: { kind: 'text', text: 'x'.repeat(length) } })),
    );
    const takenIn = mail.acknowledge('m1');
    await Promise.all([...sent, takenIn]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(told, ['m0 5000', 'm2 6000', 'm3 2']);
  });

  it('has a history in pages, newest first, also of what the state has let go', async () => {
    for (let index = 0; index < NEWEST_OVER + 30; index++) {
      await mail.post(letter({ id: `m${index}`, content: { kind: 'text', text: `${'long '.repeat(1000)}${index}` } }));
      await mail.acknowledge(`m${index}`);
    }
    const seen: string[] = [];
    for (let before: number | undefined = Infinity; before !== undefined;) {
      const page = await mail.history('run-1', { limit: 100, before });
      seen.push(...page.messages.map(({ id }) => id));
      assert.ok(page.messages.every(({ status, content }) => status === 'processed' && content.kind === 'text'));
      before = page.next;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: NEWEST_OVER + 30 }, (_, index) => `m${NEWEST_OVER + 29 - index}`),
    );
  });

  it('that overflows an inbox is put together, oldest and least urgent first, and never requests', async () => {
    mail = new AgentCommunicationService(new MemoryLedger(log), { mostWaiting: 10 });
    const request = { kind: 'task-request', taskId: 'run-1.greet', title: 'Greet', attempt: 1 } as const;
    for (let index = 0; index < 12; index++) {
      await mail.post(letter({ id: `task${index}`, type: 'task_request', priority: 1, content: request }));
    }
    for (let index = 0; index < 11; index++) {
      await mail.post(
        letter({ id: `m${index}`, priority: index < 2 ? 5 : 1, content: { kind: 'text', text: `No. ${index}` } }),
      );
    }
    const waiting = await mail.receiveMessages('agent-1');
    const digest = waiting.find(({ content }) => content.kind === 'digest');
    assert.equal(waiting.filter(({ type }) => type === 'task_request').length, 12);
    assert.deepEqual(digest?.content, {
      kind: 'digest',
      count: 5,
      senders: [{ id: 'you', count: 5 }],
      lines: [2, 3, 4, 5, 6].map((index) => `you: No. ${index}`),
    });
    assert.deepEqual(
      ['m0', 'm2', 'm6', 'm7'].map((id) => log.state.runs['run-1']!.messages[id]?.status),
      ['delivered', 'processed', 'processed', 'delivered'],
    );
  });

  it('of 10,000 in one inbox leaves no more than its bound, and every one of them is counted', async () => {
    for (let index = 0; index < 10_000; index++) {
      await mail.post(letter({ id: `m${index}`, priority: 1 + (index % 3) }));
    }
    const waiting = await mail.receiveMessages('agent-1');
    const counted = waiting.map(({ content }) => (content.kind === 'digest' ? content.count : 1));
    assert.ok(waiting.length <= 200, `${waiting.length} wait`);
    assert.equal(
      counted.reduce((sum, count) => sum + count, 0),
      10_000,
    );
  });
});
