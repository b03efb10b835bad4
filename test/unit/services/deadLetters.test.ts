import assert from 'node:assert/strict';
import { Emitter } from '../../../src/base/emitter.ts';
import { waitingCount } from '../../../src/domain/mailbox.ts';
import type { Signal } from '../../../src/domain/signals.ts';
import type { Logger } from '../../../src/ports.ts';
import { AgentCommunicationService } from '../../../src/services/agentCommunicationService.ts';
import { AgentFactory } from '../../../src/services/agentFactory.ts';
import { AgentHealth } from '../../../src/services/agentHealth.ts';
import { MailRetries } from '../../../src/services/mailRetries.ts';
import type { Letter } from '../../../src/services/outbox.ts';
import { anyAgent, anyTask, logWithWorkingTask, type EventLog } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { openTables, readTables } from '../../support/openTables.ts';
import { rowsOfState, sorted } from '../../support/rowsOfState.ts';
import { VirtualClock } from '../../support/virtualClock.ts';

const letter = (fields: Partial<Letter> = {}): Letter => ({
  id: 'm1',
  runId: 'run-1',
  sender: { kind: 'agent', id: 'agent-1' },
  receiverIds: ['agent-2'],
  type: 'coordination',
  content: { kind: 'text', text: 'Hello' },
  priority: 3,
  ...fields,
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mail that cannot be delivered', () => {
  let log: EventLog;
  let ledger: MemoryLedger;
  let clock: VirtualClock;
  let mail: AgentCommunicationService;
  let retries: MailRetries;
  const complaints: string[] = [];
  const logger: Logger = {
    info: () => undefined,
    warn: () => undefined,
    error: (message) => void complaints.push(message),
  };

  beforeEach(() => {
    log = logWithWorkingTask();
    log.add({ type: 'agent-created', agent: anyAgent({ id: 'agent-2' }) });
    ledger = new MemoryLedger(log);
    clock = new VirtualClock();
    mail = new AgentCommunicationService(ledger, { clock, logger });
    retries = new MailRetries(ledger, clock);
  });
  /** After each story the rows say what the living state says. */
  afterEach(async () => {
    retries.dispose();
    const tables = await openTables();
    tables.apply(log.events);
    const { dead_letters, agent_communications } = sorted(rowsOfState(log.state, (sequence) => log.at(sequence)));
    const rows = readTables(tables);
    tables.close();
    assert.deepEqual(rows.dead_letters, dead_letters);
    assert.deepEqual(rows.agent_communications, agent_communications);
  });

  const record = (id = 'm1') => log.state.runs['run-1']!.messages[id]!;
  const textsFor = async (agentId: string) =>
    (await mail.receiveMessages(agentId)).map(({ content }) => (content.kind === 'undelivered' ? content.reason : ''));

  it('rests when its receiver refuses it, longer at most each time, and waits again when the timer fires', async () => {
    await mail.post(letter());
    await mail.receiveMessages('agent-2');
    const delays: number[] = [];
    for (let refusal = 0; refusal < 4; refusal++) {
      await mail.negativeAcknowledge('m1', 'no room');
      await mail.negativeAcknowledge('m1', 'said twice');
      assert.deepEqual(await mail.receiveMessages('agent-2'), []);
      const last = log.events.findLast((event) => event.type === 'message-refused')!;
      delays.push(last.delayMs);
      clock.advance(last.delayMs);
      await turn();
      assert.equal((await mail.receiveMessages('agent-2')).length, 1);
    }
    assert.deepEqual(delays, [500, 1000, 2000, 4000]);
    assert.deepEqual(
      log.events
        .filter(({ type }) => type === 'message-refused' || type === 'message-retried')
        .map(({ input }) => input),
      Array.from({ length: 8 }, () => true),
    );
  });

  it('goes on resting after a restart, and no longer than a minute when the clock was set back', async () => {
    await mail.post(letter());
    await mail.negativeAcknowledge('m1', 'no room');
    retries.dispose();
    const other = new VirtualClock('2020-01-01T00:00:00.000Z');
    const again = new MailRetries(ledger, other);
    other.advance(59_000);
    await turn();
    assert.ok(record().restsUntil);
    other.advance(1_000);
    await turn();
    assert.equal(record().restsUntil, undefined);
    again.dispose();
  });

  it('becomes a dead letter after the fifth refusal and comes back to its sender', async () => {
    await mail.post(letter());
    for (let refusal = 0; refusal < 5; refusal++) {
      await mail.negativeAcknowledge('m1', 'no room');
      clock.advance(60_000);
      await turn();
    }
    assert.equal(record().status, 'failed');
    assert.equal(record().deadLetter?.cause, 'refused');
    assert.deepEqual(await textsFor('agent-1'), ['It was refused 5 times: no room']);
    assert.deepEqual(log.state.runs['run-1']!.mail.resting, {});
  });

  it('comes back at once when nobody has that name, and tells the planning agent too if it is at work', async () => {
    const [runId, taskId] = ['run-1', 'run-1.plan'];
    log.add(
      { type: 'agent-created', agent: anyAgent({ id: 'planning-1', type: 'planning' }) },
      { type: 'task-created', runId, taskId, task: anyTask({ id: taskId, key: 'plan', role: 'planning' }) },
      { type: 'task-ready', runId, taskId },
      { type: 'task-delegated', runId, taskId, agentId: 'planning-1', candidates: [] },
    );
    await mail.post(letter({ receiverIds: ['nobody-7'] }));
    assert.equal(record().deadLetter?.cause, 'unknown-receiver');
    assert.deepEqual(await textsFor('agent-1'), ['Nobody is called nobody-7.']);
    assert.deepEqual(await textsFor('planning-1'), ['Nobody is called nobody-7.']);
  });

  it('of an agent that is sent away comes back, also what rests', async () => {
    const roles = {
      planning: undefined,
      coding: () => ({}),
      testing: undefined,
      research: undefined,
      deployment: undefined,
    };
    const health = new AgentHealth({ ledger, clock, onDidSignal: new Emitter<Signal>().event });
    const factory = new AgentFactory(ledger, roles, health);
    await mail.post(letter({ id: 'waits' }));
    await mail.post(letter({ id: 'rests' }));
    await mail.negativeAcknowledge('rests', 'no room');
    await factory.destroyAgent('agent-2');
    assert.deepEqual([record('waits').status, record('rests').status], ['failed', 'failed']);
    assert.deepEqual(await textsFor('agent-1'), Array(2).fill('agent-2 is no longer in the team.'));
    clock.advance(60_000);
    await turn();
    assert.equal(record('rests').status, 'failed');
  });

  it('can be sent again to somebody else, counts as new there, and can fail again', async () => {
    await mail.post(letter({ receiverIds: ['nobody-7'] }));
    await assert.rejects(mail.sendAgain('m1', 'editor'), /nobody-7 is not in the team/);
    await mail.sendAgain('m1', 'editor', 'agent-2');
    assert.deepEqual(
      (await mail.receiveMessages('agent-2')).map(({ id }) => id),
      ['m1'],
    );
    await assert.rejects(mail.sendAgain('m1', 'editor', 'agent-2'), /does not wait to be sent again/);
    await mail.acknowledge('m1');
    assert.equal(record().status, 'processed');
    assert.ok(record().deadLetter?.resentAt);
  });

  it('is not sent again once its run has ended, and what waited then has failed', async () => {
    await mail.post(letter());
    await mail.post(letter({ id: 'm2', receiverIds: ['nobody-7'] }));
    const usage = { tokens: 0, requests: 0, workedMs: 0 };
    log.add({ type: 'run-ended', runId: 'run-1', status: 'failed', usage });
    await assert.rejects(mail.sendAgain('m2', 'editor', 'agent-2'), /run of this message has ended/);
    await assert.rejects(mail.post(letter({ id: 'm3' })), /This run has ended/);
    assert.equal(record().status, 'failed');
    assert.equal(waitingCount(log.state.runs['run-1']!.mail, 'agent-2'), 0);
  });

  it('does not take an id that could mean something else', async () => {
    await assert.rejects(mail.post(letter({ receiverIds: ['__proto__'] })), /Ids of messages/);
    await assert.rejects(mail.post(letter({ id: 'a b' })), /Ids of messages/);
  });

  it('whose subscriber throws is logged, and the process goes on', async () => {
    await mail.subscribeToMessages('agent-2', () => {
      throw new Error('subscriber broke');
    });
    await mail.post(letter());
    await turn();
    assert.deepEqual(complaints, ['Message m1: subscriber broke']);
    assert.equal(record().status, 'pending');
  });
});
