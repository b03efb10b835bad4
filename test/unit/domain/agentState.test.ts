import assert from 'node:assert/strict';
import type { Agent } from '../../../src/domain/agent.ts';
import type { EventDraft } from '../../../src/domain/events.ts';
import { anyAgent, anyMessage, anyOptions, anyTask, EventLog, logWithWorkingTask } from '../../support/builders.ts';

const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1 };
const agentId = 'agent-1';
const usage = { inputTokens: 900, outputTokens: 100, source: 'provider' } as const;

describe('the life of an agent', () => {
  const agentOf = (log: EventLog): Agent => log.state.standing.agents[agentId]!;
  type Draft = Parameters<EventLog['add']>[number];
  const statusesAfter = (log: EventLog, ...drafts: Draft[]): string[] =>
    drafts.map((draft) => {
      log.add(draft);
      return agentOf(log).status;
    });

  it('goes from idle over active to busy, and back when its task ends', () => {
    const log = new EventLog();
    log.add(
      { type: 'run-started', runId: 'run-1', objective: 'Greet', options: anyOptions() },
      { type: 'agent-created', agent: anyAgent() },
      { type: 'task-created', ...ids, task: anyTask() },
      { type: 'task-ready', ...ids },
    );
    assert.equal(agentOf(log).status, 'idle');
    assert.deepEqual(
      statusesAfter(
        log,
        { type: 'task-delegated', ...ids, agentId, candidates: [] },
        { type: 'task-started', ...ids },
        { type: 'agent-began', ...ids, agentId },
        { type: 'task-failed', ...ids, reason: 'no' },
      ),
      ['active', 'active', 'busy', 'idle'],
    );
  });

  it('keeps its task through an error, and works on it again after a restart', () => {
    const log = logWithWorkingTask();
    log.add({ type: 'agent-began', ...ids, agentId });
    assert.deepEqual(
      statusesAfter(
        log,
        { type: 'agent-crashed', ...ids, agentId, reason: 'It threw.', chance: 0.5 },
        { type: 'agent-restart-planned', ...ids, agentId, trouble: 'crashed', delayMs: 500, fresh: false },
        { type: 'agent-restarted', ...ids, agentId, fresh: false, reason: 'It threw.' },
        { type: 'agent-began', ...ids, agentId },
      ),
      ['error', 'error', 'active', 'busy'],
    );
    assert.equal(agentOf(log).currentTaskId, ids.taskId);
    assert.equal(agentOf(log).trouble, undefined);
    assert.equal(log.state.runs['run-1']?.tasks[ids.taskId]?.restarts, 1);
  });

  it('remembers the newest restarts and counts all', () => {
    const log = logWithWorkingTask();
    for (let i = 0; i < 5; i++) {
      log.add(
        { type: 'agent-crashed', ...ids, agentId, reason: 'It threw.', chance: 0 },
        { type: 'agent-restarted', ...ids, agentId, fresh: false, reason: 'It threw.' },
      );
    }
    assert.equal(agentOf(log).restarts, 5);
    assert.deepEqual(
      agentOf(log).restartedAt,
      log.events
        .filter(({ type }) => type === 'agent-restarted')
        .slice(-3)
        .map(({ at }) => at),
    );
  });

  it('reads its task anew after a fresh start, and no step’s number is used twice', () => {
    const log = logWithWorkingTask();
    log.add(
      { type: 'conversation-opened', ...ids, instructions: '', brief: '' },
      { type: 'tool-call-started', ...ids, callId: 'c', step: 1, tool: 'read_file', effect: 'read' },
      { type: 'agent-stuck', ...ids, agentId, reason: 'In circles.' },
      { type: 'agent-restarted', ...ids, agentId, fresh: true, reason: 'In circles.' },
    );
    const task = log.state.runs['run-1']?.tasks[ids.taskId];
    assert.deepEqual([task?.conversation, task?.steps, task?.openCall], [[], 1, undefined]);
    assert.equal(task?.restartedFor, 'In circles.');
  });

  it('hands its task back without using up a try; what it spent on it stays its own', () => {
    const log = logWithWorkingTask();
    log.add(
      { type: 'model-call-started', ...ids, callId: 'c', model: 'm', reservedTokens: 2000 },
      { type: 'model-call-failed', ...ids, callId: 'c', kind: 'server', message: '', usage },
      { type: 'message-sent', runId: 'run-1', message: anyMessage({ sender: { kind: 'agent', id: agentId } }) },
      { type: 'work-clocked', runId: 'run-1', workedMs: 5000 },
      { type: 'task-handed-back', ...ids, reason: 'It goes.' },
    );
    const task = log.state.runs['run-1']?.tasks[ids.taskId];
    assert.deepEqual([task?.phase, task?.attempt, task?.handedBack, task?.agentId], ['ready', 2, 1, undefined]);
    assert.deepEqual(agentOf(log).spent, { tokens: 1000, modelCalls: 1, messages: 1, workedMs: 5000 });
    assert.deepEqual(task?.spent, { tokens: 0, modelCalls: 0, messages: 0, workedMs: 0 });
  });

  it('lets nothing happen that its state does not allow', () => {
    const restarted: Draft = { type: 'agent-restarted', ...ids, agentId, fresh: false, reason: '' };
    const cases: [string, EventDraft['type'], Draft][] = [
      ['a busy agent is given a task', 'task-delegated', { type: 'task-delegated', ...ids, agentId, candidates: [] }],
      ['a healthy agent is restarted', 'agent-restarted', restarted],
      ['an agent with a task is given up', 'agent-given-up', { type: 'agent-given-up', agentId, reason: '' }],
      ['a healthy agent recovers', 'agent-recovered', { type: 'agent-recovered', agentId }],
    ];
    for (const [name, , draft] of cases) {
      assert.throws(() => logWithWorkingTask().add(draft), /does not fit/, name);
    }
  });

  it('never gives an id twice, because what was made is counted and not what lives', () => {
    const log = new EventLog();
    log.add(
      { type: 'agent-created', agent: anyAgent({ id: 'coding-1' }) },
      { type: 'agent-destroyed', agentId: 'coding-1', reason: 'idle' },
    );
    assert.deepEqual(log.state.standing.agents, {});
    assert.equal(log.state.standing.agentsMade.coding, 1);
  });
});
