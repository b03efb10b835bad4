/** Builds sequences of events as a ledger would write them, together with the living state they make. */
import type { AgentIdentity } from '../../src/domain/agent.ts';
import { EVENT_TYPES, EVENT_VERSION, RUNTIME, type EventDraft, type SquadEvent } from '../../src/domain/events.ts';
import type { StoredMessage } from '../../src/domain/message.ts';
import type { PlanTask } from '../../src/domain/plan.ts';
import type { RunOptions } from '../../src/domain/run.ts';
import { apply, emptyState } from '../../src/domain/squadState.ts';
import type { TaskSpec } from '../../src/domain/task.ts';

/** Distributes over the union, so that each draft keeps its own fields. */
type WithoutActor<Draft> = Draft extends unknown ? Omit<Draft, 'actor'> & Partial<Pick<EventDraft, 'actor'>> : never;

/** A ledger without a disk: stamps, applies, remembers. One second passes from event to event. */
export class EventLog {
  readonly state = emptyState();
  readonly events: SquadEvent[] = [];
  private readonly startMs: number;

  constructor(start = '2026-01-01T00:00:00.000Z') {
    this.startMs = Date.parse(start);
  }

  /** Appends; the runtime is the actor where none is given. */
  add(...drafts: WithoutActor<EventDraft>[]): SquadEvent[] {
    return drafts.map((draft) => {
      const sequence = this.events.length + 1;
      // The same fields as the draft's, and the stamps of its type.
      const event = {
        version: EVENT_VERSION,
        sequence,
        epoch: 1,
        at: new Date(this.startMs + sequence * 1000).toISOString(),
        actor: RUNTIME,
        input: EVENT_TYPES[draft.type].input,
        ...draft,
      } as SquadEvent;
      apply(this.state, event);
      this.events.push(event);
      return event;
    });
  }

  /** The event with that sequence. */
  at(sequence: number): SquadEvent {
    return this.events[sequence - 1]!;
  }
}

export const anyOptions = (options: Partial<RunOptions> = {}): RunOptions => ({
  model: { door: 'rehearsal' },
  maxAgents: 4,
  budget: {},
  approve: [],
  atEnd: { kind: 'keep' },
  ...options,
});

export const anyAgent = (agent: Partial<AgentIdentity> = {}): AgentIdentity => ({
  id: 'agent-1',
  type: 'coding',
  name: 'Ada',
  capabilities: ['typescript'],
  specializations: [],
  ...agent,
});

export const anyTask = (task: Partial<TaskSpec> = {}): TaskSpec => ({
  id: 'run-1.greet',
  runId: 'run-1',
  key: 'greet',
  title: 'Greet the world',
  description: 'Write a function that greets.',
  role: 'coding',
  type: 'generate-code',
  capabilities: [],
  dependsOn: [],
  reads: [],
  writes: ['src/**'],
  priority: 3,
  acceptance: [{ kind: 'tests' }],
  ...task,
});

export const anyPlanTask = (task: Partial<PlanTask> = {}): PlanTask => ({
  key: 'greet',
  title: 'Greet the world',
  description: 'Write a function that greets.',
  role: 'coding',
  type: 'generate-code',
  capabilities: [],
  dependsOn: [],
  reads: [],
  writes: ['src/**'],
  priority: 3,
  acceptance: [{ kind: 'tests' }],
  ...task,
});

export const anyMessage = (message: Partial<StoredMessage> = {}): StoredMessage => ({
  id: 'run-1.m1',
  runId: 'run-1',
  sender: { kind: 'runtime', id: 'runtime' },
  receiver: { kind: 'person', id: 'you' },
  type: 'coordination',
  content: { kind: 'text', text: 'Hello' },
  priority: 3,
  ...message,
});

/** A run with one agent that holds one task; the story goes on from there. */
export function logWithWorkingTask(): EventLog {
  const log = new EventLog();
  const [runId, taskId] = ['run-1', 'run-1.greet'];
  log.add(
    { type: 'run-started', runId, objective: 'Greet', options: anyOptions() },
    { type: 'agent-created', agent: anyAgent() },
    { type: 'task-created', runId, taskId, task: anyTask() },
    { type: 'task-ready', runId, taskId },
    { type: 'task-delegated', runId, taskId, agentId: 'agent-1', candidates: [] },
    { type: 'task-started', runId, taskId, attempt: 1 },
  );
  return log;
}
