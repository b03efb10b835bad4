/**
 * DevSquad's mail as it is shipped: the service over the ledger on a real storage folder, with the tables behind it. A
 * subscriber takes each message in and acknowledges it.
 */
import { AgentCommunicationService } from '../../src/services/agentCommunicationService.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import { systemClock } from '../../src/host/clock.ts';
import { TablesStore } from '../../src/store/sqljs/tablesClient.ts';
import { TablesFeed } from '../../src/store/tablesFeed.ts';
import { RUNTIME } from '../../src/domain/events.ts';
import type { Logger } from '../../src/ports.ts';
import { anyAgent, anyOptions, anyTask } from '../../test/support/builders.ts';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MESSAGE_TEXT, type MailSystem } from './mailSystem.ts';

const RUN_ID = 'run-1';
const SENDER_ID = 'agent-0';
/** As large as a squad gets. */
const RECEIVERS = Array.from({ length: 32 }, (_, index) => `agent-${index + 1}`);

export class SquadMail implements MailSystem {
  readonly name = 'ours';
  private readonly ledger: SquadLedger;
  private readonly tables: TablesStore;
  private readonly feed: TablesFeed;
  private readonly mail: AgentCommunicationService;
  private readonly acknowledged = new Map<string, () => void>();
  private sent = 0;

  static async open(folder: string): Promise<SquadMail> {
    const storage = path.join(folder, 'squad');
    mkdirSync(storage);
    const ledger = await SquadLedger.open({
      storage,
      epoch: 1,
      laterOwner: path.join(storage, 'epoch.2'),
      host: 'terminal',
      clock: systemClock,
    });
    const signal = AbortSignal.timeout(10_000);
    const tables = await TablesStore.open({ folder: storage, ledgerSequence: 1, clock: systemClock, logger }, signal);
    return new SquadMail(ledger, tables);
  }

  private constructor(ledger: SquadLedger, tables: TablesStore) {
    this.ledger = ledger;
    this.tables = tables;
    this.feed = new TablesFeed({ ledger, tables, clock: systemClock, logger });
    // The burst is to be seen as it is, and not put together.
    this.mail = new AgentCommunicationService(ledger, { mostWaiting: Infinity });
    this.beginRun();
    for (const agentId of RECEIVERS) {
      void this.mail.subscribeToMessages(agentId, ({ id }) => {
        void this.mail.acknowledge(id).then(this.acknowledged.get(id));
      });
    }
  }

  roundTrip(): Promise<void> {
    const id = `message-${++this.sent}`;
    const received = new Promise<void>((resolve) => this.acknowledged.set(id, resolve));
    const durable = this.mail.sendMessage({
      id,
      senderId: SENDER_ID,
      receiverId: RECEIVERS[this.sent % RECEIVERS.length] ?? SENDER_ID,
      type: 'coordination',
      content: { kind: 'text', text: MESSAGE_TEXT },
      priority: 3,
      timestamp: new Date(),
    });
    return Promise.all([durable, received]).then(() => {
      this.acknowledged.delete(id);
    });
  }

  /** The tables have everything that was acknowledged so far. */
  settled(): Promise<void> {
    return this.tables.caughtUp(this.ledger.state.sequence, AbortSignal.timeout(600_000));
  }

  async close(): Promise<void> {
    await this.feed.close(AbortSignal.timeout(60_000));
    await this.ledger.close();
  }

  /** A run with the agents that write to each other, each of them at work. */
  private beginRun(): void {
    const common = { runId: RUN_ID, actor: RUNTIME };
    this.ledger.append({ ...common, type: 'run-started', objective: 'Write to each other', options: anyOptions() });
    for (const agentId of [SENDER_ID, ...RECEIVERS]) {
      const taskId = `${RUN_ID}.${agentId}`;
      this.ledger.append(
        { ...common, type: 'agent-created', agent: anyAgent({ id: agentId, name: agentId }) },
        { ...common, type: 'task-created', taskId, task: anyTask({ id: taskId, key: agentId }) },
        { ...common, type: 'task-ready', taskId },
        { ...common, type: 'task-delegated', taskId, agentId, candidates: [] },
        { ...common, type: 'task-started', taskId, attempt: 1 },
      );
    }
  }
}

const logger: Logger = {
  info: () => undefined,
  warn: (message) => {
    console.error(message);
  },
  error: (message, cause) => {
    console.error(message, cause);
  },
};
