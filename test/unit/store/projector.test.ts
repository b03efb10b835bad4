import assert from 'node:assert/strict';
import { EVENT_TYPES, type EventType } from '../../../src/domain/events.ts';
import { anyAgent, anyMessage, logWithWorkingTask, type EventLog } from '../../support/builders.ts';
import { tellStory } from '../../support/eventGenerator.ts';
import { openTables, readTables } from '../../support/openTables.ts';
import { rowsOfState, sorted, type ExpectedTables } from '../../support/rowsOfState.ts';

const ids = { runId: 'run-1', taskId: 'run-1.greet' };

async function tablesOf(log: EventLog): Promise<ExpectedTables> {
  const tables = await openTables();
  tables.apply(log.events);
  const rows = readTables(tables);
  tables.close();
  return rows;
}

describe('projector', () => {
  it('tells a task from its creation to its proof', async () => {
    const log = logWithWorkingTask();
    const result = {
      index: 0,
      stage: 'task',
      passed: true,
      summary: 'all tests',
      output: 'long',
      tree: 't',
      durationMs: 9,
    } as const;
    log.add(
      { type: 'task-claimed', ...ids, summary: 'Greets', artifacts: { files: ['greet.ts'] } },
      { type: 'task-committed', ...ids, commit: 'c', tree: 't' },
      { type: 'check-ended', ...ids, result },
      { type: 'task-verified', ...ids, tree: 't' },
      { type: 'task-proven', ...ids, commit: 'c', tree: 't' },
    );
    const { agent_tasks: tasks, agent_registry: agents } = await tablesOf(log);
    const [task, agent] = [tasks[0]!, agents[0]!];
    assert.equal(task['status'], 'completed');
    assert.equal(task['phase'], 'proven');
    assert.equal(task['actual_duration_ms'], 5000);
    assert.deepEqual(task['result'], { summary: 'Greets', artifacts: { files: ['greet.ts'] } });
    assert.deepEqual(task['proof'], {
      work: { commit: 'c', tree: 't' },
      checks: [{ index: 0, stage: 'task', passed: true, summary: 'all tests', tree: 't', durationMs: 9 }],
    });
    assert.equal(agent['status'], 'idle');
    assert.deepEqual(agent['performance_metrics'], {
      'generate-code': { proven: 1, failed: 0, refusedClaims: 0, workedMs: 5000, tokens: 0 },
    });
  });

  it('keeps the whole text of a message that the living state only previews', async () => {
    const log = logWithWorkingTask();
    const content = { kind: 'text', text: 'long '.repeat(2000) } as const;
    log.add({ type: 'message-sent', runId: 'run-1', message: anyMessage({ content }) });
    assert.equal(log.state.runs['run-1']?.messages['run-1.m1']?.content.kind, 'stored');
    const { agent_communications: messages } = await tablesOf(log);
    assert.deepEqual(messages[0]?.['message_content'], content);
  });

  it('names people and the runtime by kind, and agents by id too', async () => {
    const log = logWithWorkingTask();
    const receiver = { kind: 'agent', id: 'agent-1' } as const;
    log.add({ type: 'message-sent', runId: 'run-1', message: anyMessage({ receiver, broadcastId: 'b' }) });
    const { agent_communications: messages } = await tablesOf(log);
    const { sender_agent_id, sender_kind, receiver_agent_id, receiver_kind, broadcast_id } = messages[0]!;
    assert.deepEqual(
      [sender_agent_id, sender_kind, receiver_agent_id, receiver_kind, broadcast_id],
      [null, 'runtime', 'agent-1', 'agent', 'b'],
    );
  });

  it('keeps the rows of an archived run and of a destroyed agent', async () => {
    const log = logWithWorkingTask();
    log.add(
      { type: 'run-ended', runId: 'run-1', status: 'failed', usage: { tokens: 0, requests: 0, workedMs: 0 } },
      { type: 'run-archived', runId: 'run-1', reason: 'old' },
      { type: 'agent-destroyed', agentId: 'agent-1', reason: 'idle' },
    );
    const { runs, agent_tasks: tasks, agent_registry: agents } = await tablesOf(log);
    assert.equal(runs[0]?.['archived_at'], log.at(8).at);
    assert.equal(tasks.length, 1);
    assert.equal(agents[0]?.['destroyed_at'], log.at(9).at);
    assert.equal(agents[0]['status'], 'idle');
  });

  it('begins an agent anew whose id is given again', async () => {
    const log = logWithWorkingTask();
    log.add(
      { type: 'task-failed', ...ids, reason: 'no' },
      { type: 'agent-destroyed', agentId: 'agent-1', reason: 'idle' },
      { type: 'agent-created', agent: anyAgent({ name: 'Grace' }) },
    );
    const { agent_registry: agents } = await tablesOf(log);
    assert.deepEqual(agents, rowsOfState(log.state, (sequence) => log.at(sequence)).agent_registry);
  });

  it('changes nothing when one event of a batch does not fit, and names it', async () => {
    const log = logWithWorkingTask();
    const tables = await openTables();
    tables.apply(log.events);
    const before = readTables(tables);
    const sent = log.add({ type: 'message-sent', runId: 'run-1', message: anyMessage() });
    assert.throws(() => {
      tables.apply([...sent, { ...sent[0]!, sequence: 8 }]);
    }, /Event 8 \(message-sent\) does not fit the tables: UNIQUE/);
    assert.deepEqual(readTables(tables), before);
    tables.apply(sent);
    assert.equal(readTables(tables).agent_communications.length, 1);
    tables.close();
  });
});

/** As many as it takes until every type of event was told; `test:long` tells more. */
const STORIES = 16;

/** `DEVSQUAD_SEED` tells one story again; `DEVSQUAD_SEEDS` says how many to tell. */
describe('projector, after any story', () => {
  const only = process.env['DEVSQUAD_SEED'];
  const seeds =
    only === undefined
      ? Array.from({ length: Number(process.env['DEVSQUAD_SEEDS'] ?? STORIES) }, (_, i) => i + 1)
      : [Number(only)];
  const toldTypes = new Set<EventType>();

  for (const seed of seeds) {
    it(`the rows equal the living state (seed ${seed})`, async () => {
      const tables = await openTables();
      const kept = new KeptRows();
      tellStory(seed, 250, (log) => {
        const event = log.events.at(-1)!;
        toldTypes.add(event.type);
        tables.apply([event]);
        const replay = `DEVSQUAD_SEED=${seed} npm run test:unit -- --grep "after any story"`;
        assert.deepEqual(
          readTables(tables),
          kept.expected(log),
          `after event ${event.sequence} (${event.type}); ${replay}`,
        );
      });
      assert.deepEqual(tables.query({ sql: 'PRAGMA foreign_key_check', parameters: [] }), []);
      tables.close();
    }).timeout(20_000);
  }

  it('and every type of event was told', function () {
    if (seeds.length < STORIES) {
      this.skip();
    }
    const untold = Object.keys(EVENT_TYPES).filter((type) => !toldTypes.has(type as EventType));
    assert.deepEqual(untold, []);
  });
});

/** Remembers the rows that the living state drops: those of archived runs and destroyed agents. */
class KeptRows {
  private before: ExpectedTables | undefined;
  private readonly archived: ExpectedTables[] = [];
  private readonly destroyed = new Map<string, ExpectedTables['agent_registry'][0]>();

  expected(log: EventLog): ExpectedTables {
    const event = log.events.at(-1)!;
    const now = rowsOfState(log.state, (sequence) => log.at(sequence));
    if (event.type === 'run-archived' && this.before) {
      this.archived.push(this.ofRun(this.before, event.runId ?? '', event.at));
    } else if (event.type === 'agent-destroyed') {
      const row = this.before?.agent_registry.find(({ id }) => id === event.agentId);
      if (row) {
        this.destroyed.set(row.id, {
          ...row,
          status: 'idle',
          trouble: null,
          current_task_id: null,
          destroyed_at: event.at,
        });
      }
    } else if (event.type === 'agent-created') {
      this.destroyed.delete(event.agent.id);
    }
    this.before = now;
    const parts = [now, ...this.archived];
    return sorted({
      runs: parts.flatMap((part) => part.runs),
      agent_registry: [...now.agent_registry, ...this.destroyed.values()],
      agent_communications: parts.flatMap((part) => part.agent_communications),
      dead_letters: parts.flatMap((part) => part.dead_letters),
      agent_tasks: parts.flatMap((part) => part.agent_tasks),
      approvals: parts.flatMap((part) => part.approvals),
    });
  }

  private ofRun(tables: ExpectedTables, runId: string, at: string): ExpectedTables {
    const own = (rows: ExpectedTables['runs']) => rows.filter((row) => row['run_id'] === runId);
    return {
      runs: tables.runs.filter(({ id }) => id === runId).map((row) => ({ ...row, archived_at: at })),
      agent_registry: [],
      agent_communications: own(tables.agent_communications),
      dead_letters: own(tables.dead_letters),
      agent_tasks: own(tables.agent_tasks),
      approvals: own(tables.approvals),
    };
  }
}
