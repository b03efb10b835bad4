import assert from 'node:assert/strict';
import type { Run } from '../../../src/domain/run.ts';
import type { Task } from '../../../src/domain/task.ts';
import { linesOf, newsAfter } from '../../../webview/activity.ts';
import { markOf, taskWords, waitingRequests } from '../../../src/domain/phaseWords.ts';
import { duration } from '../../../webview/words.ts';
import { anyTask, type EventLog, logWithWorkingTask } from '../../support/builders.ts';

const ids = { runId: 'run-1', taskId: 'run-1.greet', attempt: 1 };

describe('what the dashboard says of a task', () => {
  it('is that it works only while something of it can be under way', () => {
    const log = logWithWorkingTask();
    assert.equal(says(log), 'working: working');

    log.add({ type: 'model-call-started', ...ids, callId: 'c', model: 'm', reservedTokens: 1 });
    log.add({ type: 'run-paused', runId: 'run-1' });
    assert.equal(says(log), 'working: working', 'its call goes on');
    log.add({
      type: 'model-call-failed',
      ...ids,
      callId: 'c',
      kind: 'server',
      message: '',
      usage: { inputTokens: 0, outputTokens: 0, source: 'counted' },
    });
    assert.equal(says(log), 'paused: paused');

    log.add({ type: 'run-resumed', runId: 'run-1' }, { type: 'run-stopped', runId: 'run-1', door: 'editor' });
    assert.equal(says(log), 'paused: stopped');
  });

  it('is that it is not finished when the run has ended over it, and then nothing waits for the person', () => {
    const log = logWithWorkingTask();
    ask(log);
    assert.equal(says(log), 'you: waits for you');

    log.add({
      type: 'run-ended',
      runId: 'run-1',
      status: 'budget-reached',
      usage: { tokens: 0, requests: 0, workedMs: 0 },
    });

    assert.equal(says(log), 'paused: not finished');
    assert.deepEqual(waitingRequests(runOf(log)), []);
  });

  it('names what it waits for', () => {
    const log = logWithWorkingTask();
    const task = anyTask({ id: 'run-1.test', key: 'test', title: 'Test it', dependsOn: ['run-1.greet'] });
    log.add({ type: 'task-created', runId: 'run-1', taskId: task.id, task });

    assert.equal(taskWords(runOf(log), runOf(log).tasks[task.id]!), 'waiting for Greet the world');
  });
});

describe('the activity list', () => {
  it('calls for an answer only as long as one is wanted', () => {
    const log = logWithWorkingTask();
    const before = log.state.sequence;
    ask(log);
    assert.equal(newsAfter(log, before), 'Host: asks: Run npm install');
    assert.match(important(log), /^asks: Run npm install/);

    log.add({
      type: 'request-answered',
      runId: 'run-1',
      taskId: 'run-1.greet',
      requestId: 'r-1',
      answer: { kind: 'allow' },
      door: 'policy',
    });

    assert.equal(newsAfter(log, before), undefined);
    assert.doesNotMatch(important(log), /npm install/);
    assert.match(linesOf(log, 'All')[0]!.text, /^allowed: Run npm install/);
  });
});

describe('a duration', () => {
  for (const [ms, words] of [
    [0, '0 s'],
    [15_400, '15 s'],
    [60_000, '1 min'],
    [72_000, '1 min 12 s'],
    [3_600_000, '1 h'],
    [5_400_000, '1 h 30 min'],
  ] as const) {
    it(`of ${ms} ms is ${words}`, () => {
      assert.equal(duration(ms), words);
    });
  }
});

function runOf(log: EventLog): Run {
  return log.state.runs['run-1']!;
}

function says(log: EventLog): string {
  const task: Task = runOf(log).tasks['run-1.greet']!;
  return `${markOf(runOf(log), task)}: ${taskWords(runOf(log), task)}`;
}

function important(log: EventLog): string {
  return linesOf(log, 'Important')
    .map(({ text }) => text)
    .join('\n');
}

function ask(log: EventLog): void {
  const subject = { kind: 'command' as const, command: 'npm install', cwd: '.', why: 'It is needed.' };
  const request = { id: 'r-1', runId: 'run-1', taskId: 'run-1.greet', agentId: 'agent-1', subject };
  log.add({ type: 'request-opened', runId: 'run-1', taskId: 'run-1.greet', request });
}
