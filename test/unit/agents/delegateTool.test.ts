import { VirtualClock } from '../../support/virtualClock.ts';
import assert from 'node:assert/strict';
import { delegateTool } from '../../../src/agents/delegateTool.ts';
import type { DeepReadonly } from '../../../src/base/deepReadonly.ts';
import type { CheckRun } from '../../../src/domain/approval.ts';
import { policyOf } from '../../../src/domain/policy.ts';
import { CheckRights } from '../../../src/services/checkRights.ts';
import type { RunFiles, TaskFiles } from '../../../src/workspace/runFiles.ts';
import type { AcceptanceCheck } from '../../../src/domain/proof.ts';
import type { TaskSpec } from '../../../src/domain/task.ts';
import { Inbox } from '../../../src/inbox/inbox.ts';
import { DelegatedTasks } from '../../../src/services/delegatedTasks.ts';
import { schedule } from '../../../src/services/taskScheduler.ts';
import type { ToolContext } from '../../../src/tools/tool.ts';
import { anyAgent, anyOptions, anyTask, EventLog } from '../../support/builders.ts';
import { MemoryLedger } from '../../support/memoryLedger.ts';
import { noServers, noWeb } from '../../support/nowhere.ts';

const [runId, taskId] = ['run-1', 'run-1.one'];

/** An agent at work on a task of the plan that may change src/ and has one check. */
class Delegating {
  readonly log = new EventLog();
  readonly ledger = new MemoryLedger(this.log);
  readonly delegated: DelegatedTasks;
  readonly caughtUp: string[] = [];
  readonly asked: string[] = [];
  private readonly tool: ReturnType<typeof delegateTool>;
  private step = 0;

  constructor(answers: 'allow' | 'deny' = 'allow', options = anyOptions()) {
    const seed = { baseCommit: null, commit: 'c', tree: 't', prefix: '' };
    const [check, run] = [checkBy('npm run check'), { command: 'npm run check', runs: [] }];
    const subject = { kind: 'plan' as const, revision: 1, summary: '', checks: [{ taskKey: 'one', check, run }] };
    this.log.add(
      { type: 'run-started', runId, objective: 'Greet', options },
      { type: 'repository-seeded', runId, seed },
      { type: 'request-opened', runId, request: { id: 'plan', runId, subject } },
      { type: 'request-answered', runId, requestId: 'plan', answer: { kind: 'allow' }, door: 'terminal' },
    );
    this.begin(anyTask({ id: taskId, key: 'one', acceptance: [check] }), 'agent-1');
    const inbox = new Inbox(this.ledger, new VirtualClock());
    this.ledger.onDidAppend((event) => {
      if (event.type === 'request-opened') {
        const { id, subject } = event.request;
        this.asked.push(subject.kind === 'command' ? subject.command : subject.kind === 'write' ? subject.path : '');
        void inbox.answer(id, { kind: answers }, 'terminal');
      }
    });
    this.delegated = new DelegatedTasks(this.ledger, {
      catchUp: ({ taskId: id }) => {
        this.caughtUp.push(id);
        return Promise.resolve([]);
      },
    });
    const checkRuns: TaskFiles['checkRuns'] = ({ checks }) => Promise.resolve(checks.map(runOf));
    const filesOf = () => ({ task: () => ({ checkRuns }) }) as unknown as RunFiles;
    const rights = new CheckRights({ ledger: this.ledger, inbox, filesOf });
    this.tool = delegateTool({ ledger: this.ledger, inbox, delegated: this.delegated, rights });
  }

  get run() {
    return this.log.state.runs[runId]!;
  }

  begin(task: TaskSpec, agentId: string): void {
    const ids = { runId, taskId: task.id };
    if (!this.log.state.runs[runId]?.tasks[task.id]) {
      this.log.add({ type: 'task-created', ...ids, task });
    }
    this.log.add(
      { type: 'agent-created', agent: anyAgent({ id: agentId }) },
      { type: 'task-ready', ...ids },
      { type: 'task-delegated', ...ids, agentId, candidates: [] },
      { type: 'task-started', ...ids, attempt: 1 },
    );
  }

  context(fields: Partial<ToolContext> = {}): ToolContext {
    const common = { runId, taskId, agentId: 'agent-1', attempt: 1, restarts: 0, writes: ['src/**'] };
    // The tool does not look at the workspace.
    const workspace = {} as ToolContext['workspace'];
    const outside = { web: noWeb, servers: noServers, mcpServers: [], policy: policyOf({}), couldCarryAway: false };
    return { ...common, ...outside, step: ++this.step, workspace, onOutput: () => undefined, ...fields };
  }

  async handOn(fields: object = {}, context = this.context()): Promise<string> {
    const input = this.tool.input.parse({ title: 'Part', description: 'Do it.', role: 'coding', ...fields });
    return (await this.tool.run(input, context, new AbortController().signal)).text;
  }

  end(id: string, how: 'proven' | 'failed'): void {
    const ids = { runId, taskId: id, attempt: 1 };
    this.log.add(
      how === 'proven'
        ? { type: 'task-proven', ...ids, commit: 'c', tree: 't' }
        : { type: 'task-failed', ...ids, reason: 'It does not compile.' },
    );
  }

  told(id: string): void {
    this.ledger.append({
      type: 'message-sent',
      runId,
      actor: { kind: 'runtime', id: 'runtime' },
      message: {
        id: `${id}.1.response`,
        sender: { kind: 'runtime', id: 'runtime' },
        receiver: { kind: 'agent', id: 'agent-1' },
        type: 'task_response',
        content: { kind: 'task-response', taskId: id, outcome: 'proven', summary: '' },
        priority: 3,
      },
    });
  }
}

function checkBy(command: string): AcceptanceCheck {
  return { kind: 'command', command };
}

function runOf(check: DeepReadonly<AcceptanceCheck>): CheckRun | undefined {
  return check.kind === 'files'
    ? undefined
    : { command: check.kind === 'tests' ? 'npm test' : check.command, runs: [] };
}

describe('delegate_task', () => {
  it('makes a task under the caller’s, with a key of its own, and says so at once', async () => {
    const team = new Delegating();
    assert.match(await team.handOn(), /Handed on as one-1 \(run-1\.one-1\)/);
    assert.match(await team.handOn({ dependsOn: ['one-1'], role: 'testing' }), /one-2/);
    const { parentTaskId, dependsOn, type, priority } = team.run.tasks['run-1.one-2']!;
    assert.deepEqual(
      [parentTaskId, dependsOn, type, priority],
      [taskId, ['run-1.one-1'], 'generate-tests', team.run.tasks[taskId]!.priority],
    );
  });

  it('makes it once for one call, however often a crash makes it run', async () => {
    const team = new Delegating();
    const context = team.context();
    assert.equal(await team.handOn({}, context), await team.handOn({}, context));
    assert.equal(Object.keys(team.run.tasks).length, 2);
  });

  it('asks the person for checks and files that nobody allowed yet, and for nothing else', async () => {
    const team = new Delegating();
    const acceptance = [
      checkBy('npm run check'),
      checkBy('make evil'),
      { kind: 'tests' },
      { kind: 'files', exist: ['a'] },
    ];
    await team.handOn({ acceptance, writes: ['src/**', 'src/a.ts', 'docs/**', 'src/../x', './src/b.ts'] });
    assert.deepEqual(team.asked, ['make evil', 'npm test', 'docs/**', 'src/../x']);
    await team.handOn({ acceptance: [checkBy('make evil')] });
    assert.equal(team.asked.length, 4);
  });

  it('makes nothing when the person refuses', async () => {
    const team = new Delegating('deny');
    await assert.rejects(team.handOn({ acceptance: [checkBy('make evil')] }), /did not allow the check make evil/);
    assert.equal(Object.keys(team.run.tasks).length, 1);
  });

  it('refuses what depends on somebody else’s task, what is too deep, and what is too much', async () => {
    const team = new Delegating('allow', anyOptions({ limits: { delegationDepth: 1 } }));
    await assert.rejects(team.handOn({ dependsOn: ['plan'] }), /depends on "plan", which is no task/);
    await team.handOn();
    const child = team.context({ taskId: 'run-1.one-1', agentId: 'agent-2' });
    await assert.rejects(team.handOn({}, child), /1 levels below the plan, and work may be handed on 1 levels deep/);
    for (let index = 2; index <= 10; index++) {
      await team.handOn();
    }
    await assert.rejects(team.handOn(), /the limits are 10 and 200/);
  });

  it('of a call whose try is over makes nothing', async () => {
    const team = new Delegating();
    team.log.add({ type: 'task-retried', runId, taskId, reason: 'again' });
    await assert.rejects(team.handOn(), /Attempt 1.* is over/);
    assert.equal(Object.keys(team.run.tasks).length, 1);
  });
});

describe('a parent that would finish', () => {
  const signal = new AbortController().signal;

  it('waits without a place at work, goes on when it was told, and must read first', async () => {
    const team = new Delegating('allow', anyOptions({ maxAgents: 1 }));
    await team.handOn();
    const joined = team.delegated.join(team.context(), signal);
    assert.equal(team.run.tasks[taskId]!.phase, 'split');
    team.log.add({ type: 'task-ready', runId, taskId: 'run-1.one-1' });
    assert.deepEqual(
      schedule(team.run).begin.map(({ key }) => key),
      ['one-1'],
    );
    team.end('run-1.one-1', 'proven');
    assert.deepEqual(schedule(team.run).rejoin, []);
    team.told('run-1.one-1');
    assert.deepEqual(
      schedule(team.run).rejoin.map(({ key }) => key),
      ['one'],
    );
    team.ledger.append({ type: 'task-rejoined', runId, taskId, actor: { kind: 'runtime', id: 'runtime' } });

    assert.match((await joined) ?? '', /what came of it stands in your mail/);
    assert.deepEqual(team.caughtUp, [taskId]);
    team.log.add({ type: 'message-acknowledged', runId, messageId: 'run-1.one-1.1.response' });
    assert.equal(await team.delegated.join(team.context(), signal), undefined);
  });

  it('comes before a task that would begin, when there is one place', async () => {
    const team = new Delegating('allow', anyOptions({ maxAgents: 1 }));
    await team.handOn();
    void team.delegated.join(team.context(), signal);
    team.log.add(
      { type: 'task-created', runId, taskId: 'run-1.two', task: anyTask({ id: 'run-1.two', key: 'two' }) },
      { type: 'task-ready', runId, taskId: 'run-1.two' },
    );
    team.end('run-1.one-1', 'failed');
    team.told('run-1.one-1');
    const { rejoin, begin } = schedule(team.run);
    assert.deepEqual([rejoin.map(({ key }) => key), begin], [['one'], []]);
  });

  it('does not wait twice when it is taken up in the wait, and stops waiting when its work ends', async () => {
    const team = new Delegating();
    await team.handOn();
    const end = new AbortController();
    const first = team.delegated.join(team.context(), end.signal);
    end.abort(new Error('The host is closing.'));
    await assert.rejects(first, /host is closing/);
    void team.delegated.join(team.context(), signal);
    assert.equal(team.log.events.filter(({ type }) => type === 'task-split').length, 1);
  });

  it('takes back what is open when it ends or begins anew, but not what is being merged', async () => {
    const team = new Delegating();
    await team.handOn();
    await team.handOn();
    team.begin(team.run.tasks['run-1.one-2']!, 'agent-2');
    team.log.add({ type: 'task-claimed', runId, taskId: 'run-1.one-2', summary: 'Done' });
    assert.deepEqual(schedule(team.run).orphaned, []);
    team.log.add({ type: 'task-retried', runId, taskId, reason: 'again' });
    assert.deepEqual(
      schedule(team.run).orphaned.map(({ key }) => key),
      ['one-1'],
    );
  });
});
