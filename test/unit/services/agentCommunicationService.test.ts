import assert from 'node:assert/strict';
import { NEWEST_OVER } from '../../../src/domain/mailbox.ts';
import { AgentCommunicationService, type Letter } from '../../../src/services/agentCommunicationService.ts';
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
});
