/** Writes long, plausible, random stories: every event fits the state it meets. A new event type needs a rule here. */
import type { Agent, AgentStatus } from '../../src/domain/agent.ts';
import type { EventOf, EventDraft, EventType } from '../../src/domain/events.ts';
import type { Party } from '../../src/domain/message.ts';
import type { Run } from '../../src/domain/run.ts';
import { openRequests } from '../../src/domain/requestState.ts';
import { isOver, type Task, type TaskPhase } from '../../src/domain/task.ts';
import { anyAgent, anyMessage, anyOptions, anyPlanTask, anyTask, EventLog } from './builders.ts';
import { SeededRandom } from './seededRandom.ts';

/** An event's own fields and whose it is; undefined when it has no place in the story now. */
type Fields<Type extends EventType> = Omit<
  EventOf<Type>,
  'version' | 'sequence' | 'epoch' | 'at' | 'input' | 'type' | 'actor'
>;
type Rules = { readonly [Type in EventType]: (story: Story) => Fields<Type> | undefined };

/** Events that end something come seldom, so that stories get somewhere first. */
const SELDOM: Partial<Record<EventType, number>> = {
  'run-started': 0.5,
  'run-ended': 0.4,
  'run-archived': 0.6,
  'agent-destroyed': 0.3,
  'task-failed': 0.4,
  'task-cancelled': 0.2,
  'tool-calls-put-off': 0.3,
};

/** Events on the long way to a merge come often, so that some stories get there. */
const OFTEN: readonly EventType[] = [
  'task-claimed',
  'task-verified',
  'task-merged',
  'model-call-held',
  'model-call-freed',
];

/** Appends `length` random events to a new log and calls `afterEach` after every one. */
export function tellStory(seed: number, length: number, afterEach: (log: EventLog) => void): EventLog {
  const story = new Story(new SeededRandom(seed));
  // The keys of a record typed by event types.
  const types = [...(Object.keys(RULES) as EventType[]), ...OFTEN];
  while (story.log.events.length < length) {
    const type = story.random.pick(types)!;
    const fields = story.random.chance(SELDOM[type] ?? 1) ? RULES[type](story) : undefined;
    if (fields) {
      // The rule of a type makes that type's fields.
      story.log.add({ ...fields, type } as EventDraft);
      afterEach(story.log);
    }
  }
  return story.log;
}

class Story {
  readonly log = new EventLog();
  readonly random: SeededRandom;
  private lastId = 0;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  newId(kind: string): string {
    return `${kind}-${++this.lastId}`;
  }

  run(fits: (run: Run) => boolean = () => true): Run | undefined {
    return this.random.pick(Object.values(this.log.state.runs).filter(fits));
  }

  runId(fits?: (run: Run) => boolean): { runId: string } | undefined {
    const run = this.run(fits);
    return run && { runId: run.id };
  }

  /** A random task in one of the phases, as an envelope names it. */
  task(...phases: TaskPhase[]): { ids: { runId: string; taskId: string; attempt: number }; task: Task } | undefined {
    const run = this.run();
    const tasks = Object.values(run?.tasks ?? {});
    const task = this.random.pick(tasks.filter(({ phase }) => phases.length === 0 || phases.includes(phase)));
    return run && task && { ids: { runId: run.id, taskId: task.id, attempt: task.attempt }, task };
  }

  agentId(fits: (agent: Agent) => boolean = () => true): string | undefined {
    return this.random.pick(Object.values(this.log.state.standing.agents).filter(fits))?.id;
  }

  /** An agent in one of the states, with the task it holds. */
  holder(...statuses: AgentStatus[]): { runId: string; taskId: string; attempt: number; agentId: string } | undefined {
    const agentId = this.agentId(
      ({ status, currentTaskId }) => statuses.includes(status) && currentTaskId !== undefined,
    );
    const taskId = agentId === undefined ? undefined : this.log.state.standing.agents[agentId]?.currentTaskId;
    const task = Object.values(this.log.state.runs).flatMap(({ tasks }) => tasks[taskId ?? ''] ?? [])[0];
    return agentId !== undefined && task
      ? { runId: task.runId, taskId: task.id, attempt: task.attempt, agentId }
      : undefined;
  }

  party(): Party {
    const agentId = this.random.chance(0.7) ? this.agentId() : undefined;
    const others: readonly Party[] = [
      { kind: 'person', id: 'you' },
      { kind: 'runtime', id: 'runtime' },
    ];
    return agentId === undefined ? this.random.pick(others)! : { kind: 'agent', id: agentId };
  }

  message(...statuses: string[]): { runId: string; messageId: string } | undefined {
    const run = this.run();
    const message = this.random.pick(Object.values(run?.messages ?? {}).filter((it) => statuses.includes(it.status)));
    return run && message && { runId: run.id, messageId: message.id };
  }

  openRequest(): { runId: string; requestId: string } | undefined {
    const run = this.run();
    const request = run && this.random.pick(openRequests(run));
    return run && request && { runId: run.id, requestId: request.id };
  }

  /** A model call that is under way. */
  call(): { runId: string; taskId: string; callId: string } | undefined {
    const run = this.run();
    const call = this.random.pick(Object.entries(run?.reservations ?? {}));
    return run && call && { runId: run.id, taskId: call[1].taskId, callId: call[0] };
  }

  hash(): string {
    return this.random.between(0, 0xffffff).toString(16).padStart(40, '0');
  }
}

/** The same fields for whatever task is in one of the phases. */
const inPhase =
  <Own extends object>(phases: readonly TaskPhase[], own: (story: Story, task: Task) => Own) =>
  (story: Story): (Own & { runId: string; taskId: string; attempt: number }) | undefined => {
    const found = story.task(...phases);
    return found && { ...found.ids, ...own(story, found.task) };
  };

const withRun =
  <Own extends object>(own: (story: Story) => Own, fits?: (run: Run) => boolean) =>
  (story: Story): (Own & { runId: string }) | undefined => {
    const ids = story.runId(fits);
    return ids && { ...ids, ...own(story) };
  };

const hasEnded = (run: Run): boolean => run.phase === 'ended';
const usage = (story: Story) =>
  ({
    inputTokens: story.random.between(0, 5000),
    outputTokens: story.random.between(0, 900),
    source: 'provider',
    ...(story.random.chance(0.5) ? { microUsd: story.random.between(0, 900) } : {}),
  }) as const;

const RULES: Rules = {
  'ledger-opened': () => ({ fromEpoch: 0, lastSequence: 0, lastCrc: 0, host: 'terminal' }),

  'run-started': (story) =>
    Object.keys(story.log.state.runs).length < 3
      ? {
          runId: story.newId('run'),
          objective: `It's "${story.newId('aim')}"; DROP TABLE runs --`,
          options: anyOptions(),
        }
      : undefined,
  'run-paused': withRun(() => ({})),
  'run-resumed': withRun(() => ({})),
  'run-stopped': withRun(() => ({ door: 'terminal' })),
  'run-continued': withRun(() => ({ door: 'editor' })),
  'repository-seeded': withRun((story) => ({
    seed: { baseCommit: null, commit: story.hash(), tree: story.hash(), prefix: '' },
  })),

  'plan-submitted': withRun((story) => ({
    plan: { summary: 'A plan', strategy: 'single', why: 'It is small.', tasks: [anyPlanTask()] },
    revision: story.random.between(1, 3),
  })),
  'plan-accepted': withRun(() => ({ requestId: 'any' })),
  'plan-revision-asked': withRun(() => ({ requestId: 'any', comment: 'Smaller' })),

  'agent-created': (story) => {
    const living = story.log.state.standing.agents;
    const again = story.log.events.flatMap((event) =>
      event.type === 'agent-destroyed' && !(event.agentId in living) ? [event.agentId] : [],
    );
    const id = story.random.pick(again) ?? story.newId('agent');
    const type = story.random.pick(['planning', 'coding', 'testing'] as const)!;
    return { agent: anyAgent({ id, type, name: `Agent ${id}`, specializations: ['ünïcode ✓'] }) };
  },
  'agent-destroyed': (story) => {
    const agentId = story.agentId();
    return agentId === undefined ? undefined : { agentId, reason: 'scaled down' };
  },

  'task-created': withRunAndTask,
  'task-ready': inPhase(['waiting'], () => ({})),
  'pool-scaled': (story) => ({ agentType: 'coding', count: story.random.between(0, 3) }),
  'agent-draining': (story) => {
    const agentId = story.agentId();
    return agentId === undefined ? undefined : { agentId, reason: 'fewer are needed' };
  },
  'agent-idled': (story) => {
    const agentId = story.agentId(({ status }) => status === 'idle');
    return agentId === undefined ? undefined : { agentId, idleMs: 1000 };
  },
  'agent-began': (story) => story.holder('active'),
  'agent-silent': (story) => {
    const held = story.holder('active', 'busy');
    return held && { ...held, silentMs: 1000, reason: 'It is silent', chance: story.random.next() };
  },
  'agent-crashed': (story) => {
    const held = story.holder('active', 'busy');
    return held && { ...held, reason: 'It crashed', chance: story.random.next() };
  },
  'agent-stuck': (story) => withReason(story.holder('active', 'busy')),
  'agent-restart-planned': (story) => {
    const held = story.holder('error');
    return held && { ...held, trouble: 'stuck', delayMs: story.random.next() * 100, fresh: true };
  },
  'agent-restarted': (story) => {
    const held = story.holder('error');
    return held && { ...held, fresh: story.random.chance(0.5), reason: 'It crashed' };
  },
  'agent-given-up': (story) => {
    const agentId = story.agentId(({ status }) => status === 'idle');
    return agentId === undefined ? undefined : { agentId, reason: 'It crashed three times' };
  },
  'agent-recovered': (story) => {
    const agentId = story.agentId(({ status, currentTaskId }) => status === 'error' && currentTaskId === undefined);
    return agentId === undefined ? undefined : { agentId };
  },
  'task-delegated': (story) => {
    const [found, agentId] = [story.task('ready'), story.agentId(({ status }) => status === 'idle')];
    const by = story.random.chance(0.3) ? story.agentId() : undefined;
    return found && agentId !== undefined
      ? { ...found.ids, agentId, candidates: [], ...(by === undefined ? {} : { delegatedByAgentId: by }) }
      : undefined;
  },
  'task-started': inPhase(['ready'], (story) => ({ baseCommit: story.hash() })),
  'task-progressed': inPhase(['working'], () => ({ note: 'half way', percent: 50 })),
  'task-split': inPhase(['working'], () => ({})),
  'task-rejoined': inPhase(['split'], () => ({})),
  'task-claimed': inPhase(['working'], (story) => ({
    summary: 'All done',
    ...(story.random.chance(0.5) ? { artifacts: { files: ['a.ts'], nothing: null } } : {}),
  })),
  'task-committed': inPhase(['proving', 'merging'], (story) => ({ commit: story.hash(), tree: story.hash() })),
  'check-ended': inPhase(['proving', 'merging'], (story, task) => ({
    result: {
      index: task.checks.length,
      stage: task.phase === 'merging' ? 'integration' : 'task',
      passed: story.random.chance(0.7),
      summary: 'all tests',
      output: 'x'.repeat(story.random.between(0, 5000)),
      tree: story.hash(),
      durationMs: story.random.next() * 1000,
    },
  })),
  'task-verified': inPhase(['proving'], (story) => ({ tree: story.hash() })),
  'task-reopened': inPhase(['proving', 'merging'], () => ({ cause: 'checks', detail: 'A test failed' })),
  'task-rebased': inPhase(['working', 'merging'], (story) => ({ baseCommit: story.hash(), conflicts: [] })),
  'task-merged': inPhase(['merging'], (story) => ({ commit: story.hash(), tree: story.hash() })),
  'task-proven': inPhase(['merging'], (story) => ({ commit: story.hash(), tree: story.hash() })),
  'task-failed': inPhase(['working', 'proving', 'merging'], () => ({ reason: 'It does not compile' })),
  'task-cancelled': inPhase(['waiting', 'ready', 'working', 'waiting_for_person'], () => ({ reason: 'Not needed' })),
  'task-retried': inPhase(['failed', 'working'], () => ({ reason: 'Once more' })),

  'task-handed-back': inPhase(['ready', 'working', 'proving'], () => ({ reason: 'Its agent goes' })),

  'message-sent': (story) => {
    const run = story.run();
    const waiting = Object.values(run?.messages ?? {}).filter(({ status }) => status === 'pending');
    const compacts = story.random.chance(0.2) ? waiting.slice(0, 3).map(({ id }) => id) : [];
    const message = anyMessage({
      id: story.newId('message'),
      sender: story.party(),
      receiver: story.party(),
      priority: story.random.between(1, 5),
      content: { kind: 'text', text: `Hello ${'✉'.repeat(story.random.pick([1, 100, 4096, 9000])!)}` },
      ...(story.random.chance(0.3) ? { broadcastId: story.newId('broadcast') } : {}),
      ...(story.random.chance(0.3) ? { threadId: 'thread', inReplyTo: 'any' } : {}),
      ...(compacts.length > 0 ? { compacts } : {}),
    });
    return run && { runId: run.id, message };
  },
  'message-delivered': (story) => story.message('pending'),
  'message-refused': (story) => {
    const message = story.message('pending', 'delivered');
    return message && { ...message, reason: 'no room', delayMs: story.random.between(0, 9000) };
  },
  'message-retried': (story) => {
    const run = story.run();
    const messageId = run && story.random.pick(Object.keys(run.mail.resting));
    return run && messageId !== undefined ? { runId: run.id, messageId } : undefined;
  },
  'message-resent': (story) => {
    const message = story.message('failed');
    const receiverId = story.random.chance(0.5) ? story.agentId() : undefined;
    return message && { ...message, ...(receiverId === undefined ? {} : { receiverId }), door: 'editor' };
  },
  'person-wrote': withRun(() => ({
    letter: {
      id: 'letter',
      receiverIds: ['agent-1'],
      type: 'coordination',
      content: { kind: 'text', text: 'Hello' },
      priority: 3,
    },
  })),
  'message-acknowledged': (story) => story.message('delivered'),
  'message-failed': (story) => {
    const message = withReason(story.message('pending', 'delivered'));
    return message && { ...message, cause: story.random.pick(['receiver-gone', 'refused'] as const)! };
  },

  'conversation-opened': inPhase(['working'], () => ({ instructions: 'You code.', brief: 'Greet.' })),
  'conversation-noted': (story) => {
    const task = story.task('working');
    const mail = task && story.message('delivered');
    const own = mail?.runId === task?.ids.runId ? mail : undefined;
    return task && { ...task.ids, ...own, text: 'You have mail.' };
  },
  'model-call-started': inPhase(['working'], (story) => ({
    callId: story.newId('call'),
    model: 'm',
    reservedTokens: story.random.between(100, 9000),
    ...(story.random.chance(0.5) ? { reservedMicroUsd: story.random.between(0, 900) } : {}),
  })),
  'model-call-held': inPhase(['working'], (story) => ({
    cost: { model: 'm', inputTokens: 100, outputTokens: 50 },
    ...(story.random.chance(0.5) ? { requestId: 'any' } : {}),
  })),
  'model-call-freed': (story) => {
    const found = story.task('waiting_for_person');
    const run = story.log.state.runs[found?.ids.runId ?? ''];
    const asks = run && openRequests(run).some(({ taskId }) => taskId === found?.ids.taskId);
    return found?.task.heldBy !== undefined && !asks ? found.ids : undefined;
  },
  'model-call-parked': (story) => {
    const call = story.call();
    return call && { ...call, until: '2026-01-01T00:10:00.000Z', reason: 'It asks to slow down.' };
  },
  'model-call-ended': (story) => {
    const call = story.call();
    return (
      call && { ...call, model: 'm', answer: { text: 'ok', toolCalls: [], finishReason: 'stop' }, usage: usage(story) }
    );
  },
  'model-call-failed': (story) => {
    const call = story.call();
    return call && { ...call, kind: 'server', message: '500', usage: usage(story) };
  },
  'tool-call-started': inPhase(['working'], (story, task) => ({
    callId: story.newId('tool'),
    step: task.steps + 1,
    tool: 'read_file',
    effect: 'read',
  })),
  'tool-call-ended': inPhase(['working'], (_, task) => ({
    callId: 'tool',
    step: task.steps,
    tool: 'read_file',
    outcome: 'ok',
    result: 'text',
  })),

  'tool-calls-put-off': inPhase(['working'], () => ({
    calls: [{ callId: 'tool', tool: 'read_file' }],
    reason: 'Mail came first.',
  })),

  'changes-held-back': inPhase(['working'], () => ({
    changes: [{ path: '.npmrc', why: '.npmrc is a setting of a package manager.' }],
  })),

  'request-opened': (story) => {
    const run = story.run();
    const task = story.random.chance(0.7) ? story.random.pick(Object.values(run?.tasks ?? {})) : undefined;
    const agentId = story.agentId();
    return (
      run && {
        runId: run.id,
        request: {
          id: story.newId('request'),
          runId: run.id,
          ...(task ? { taskId: task.id } : {}),
          ...(agentId === undefined ? {} : { agentId }),
          subject: { kind: 'question', question: 'Which one?', options: ['a', 'b'] },
        },
      }
    );
  },
  'request-answered': (story) => {
    const request = story.openRequest();
    return request && { ...request, answer: { kind: 'text', text: 'b' }, door: 'terminal' };
  },
  'request-withdrawn': (story) => withReason(story.openRequest()),
  'request-expired': (story) => withReason(story.openRequest()),

  'rule-saved': withRun((story) => ({
    rule: {
      id: story.newId('rule'),
      what: 'same',
      subject: { kind: 'command', command: 'npm test', cwd: '.', why: 'It runs scripts.' },
      effect: 'e',
      until: '2030-01-01T00:00:00.000Z',
    },
    door: 'editor',
  })),
  'rule-removed': (story) => {
    const run = story.run(({ rules }) => rules.length > 0);
    return run && { runId: run.id, ruleId: run.rules[0]!.id, door: 'editor' };
  },

  'budget-reached': withRun(() => ({ resource: 'tokens', message: 'The budget is reached.' })),
  'budget-warned': withRun(() => ({
    envelope: 'run',
    resource: 'usd',
    used: 90,
    limit: 100,
    message: '90 % of the run’s budget is used.',
  })),
  'work-clocked': withRun((story) => ({ workedMs: story.random.next() * 5000 })),

  'run-ended': withRun(
    (story) => ({
      status: story.random.pick(['succeeded', 'failed'] as const)!,
      usage: { tokens: 1, requests: 1, workedMs: 1 },
      ...(story.random.chance(0.5) ? { reason: 'Because' } : {}),
      ...(story.random.chance(0.5) ? { diff: { tree: story.hash(), files: [] } } : {}),
    }),
    (run) => !hasEnded(run) && Object.values(run.tasks).some(({ phase }) => isOver(phase)),
  ),
  'apply-started': withRun(() => ({ paths: ['a.ts'], door: 'policy' }), hasEnded),
  'result-refused': withRun(() => ({ reason: 'A file is in the way.' })),
  'apply-ended': withRun((story) => ({ applied: story.random.chance(0.7), detail: '' }), hasEnded),
  'apply-undo-started': withRun(() => ({ door: 'editor' }), hasEnded),
  'apply-undo-ended': withRun((story) => ({ undone: story.random.chance(0.7), detail: '' }), hasEnded),
  'branch-created': withRun((story) => ({ name: 'devsquad/greet', commit: story.hash(), door: 'editor' }), hasEnded),
  'branch-undone': withRun(() => ({ door: 'terminal' }), hasEnded),
  'run-discarded': withRun(() => ({ door: 'editor' }), hasEnded),
  'discard-undone': withRun(() => ({ door: 'editor' }), hasEnded),
  'run-settled': withRun(() => ({}), hasEnded),
  'run-archived': withRun(() => ({ reason: 'old' }), hasEnded),
};

function withRunAndTask(story: Story): Fields<'task-created'> | undefined {
  const run = story.run((it) => Object.keys(it.tasks).length < 6);
  const id = story.newId('task');
  return (
    run && {
      runId: run.id,
      taskId: id,
      task: anyTask({
        id,
        runId: run.id,
        key: id,
        type: story.random.pick(['generate-code', 'review-code'] as const)!,
        dependsOn: Object.keys(run.tasks),
        priority: story.random.between(1, 5),
        ...(story.random.chance(0.5) ? { input: { path: 'a.ts' }, estimateMs: story.random.next() * 9e5 } : {}),
      }),
    }
  );
}

function withReason<Ids extends object>(ids: Ids | undefined): (Ids & { reason: string }) | undefined {
  return ids && { ...ids, reason: 'no use' };
}
