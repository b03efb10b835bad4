/**
 * The living state and `apply`, the only thing that writes it: no clock, no chance, no I/O, the same result for the same
 * events everywhere. It works in place; whoever holds the state from outside sees it deeply readonly.
 */
import { assertNever } from '../base/assertNever.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { Agent } from './agent.ts';
import {
  applyToAgents,
  emptyStanding,
  isAgentEvent,
  occupyAgent,
  releaseAgent,
  type AgentEvent,
  type Standing,
} from './agentState.ts';
import { emptyAccount } from './budget.ts';
import {
  clockWork,
  forgetToolClocks,
  reserveCall,
  settleCall,
  startToolClock,
  stopToolClock,
  warningKey,
} from './budgetState.ts';
import type { EventOf, SquadEvent } from './events.ts';
import {
  addMessage,
  closeMail,
  emptyMail,
  endMessage,
  messageOf,
  resendMessage,
  restMessage,
  wakeMessage,
} from './mailbox.ts';
import { LONGEST_TEXT } from './message.ts';
import { applyToRequests, applyToRules, isRequestEvent } from './requestState.ts';
import type { Run } from './run.ts';
import type { Task } from './task.ts';
import { createTask, endTask, resetTask, restartTask } from './taskState.ts';

/** Shape of the state below, as images hold it. A change of shape raises it and adds a step to `upcasts/`. */
export const STATE_VERSION = 2;

export interface SquadState {
  /** Sequence of the last event applied. */
  sequence: number;
  epoch: number;
  /** Runs that are not archived, by id, in the order they started. */
  runs: Record<string, Run>;
  standing: Standing;
}

export type SquadView = DeepReadonly<SquadState>;
export type RunView = DeepReadonly<Run>;
export type TaskView = DeepReadonly<Task>;
export type AgentView = DeepReadonly<Agent>;

export const emptyState = (): SquadState => ({ sequence: 0, epoch: 0, runs: {}, standing: emptyStanding() });

/** Applies one event in place. Throws when the event does not fit the state: a ledger must not hold such an event. */
export function apply(state: SquadState, event: SquadEvent): void {
  state.sequence = event.sequence;
  state.epoch = event.epoch;
  if (isAgentEvent(event)) {
    applyToAgents(state.standing, event);
    if (event.type === 'agent-restarted') {
      restartTask(taskOf(runOf(state, event), event), event);
    }
    return;
  }
  switch (event.type) {
    case 'ledger-opened':
      forgetToolClocks(Object.values(state.runs));
      return;
    case 'run-started':
      state.runs[event.runId ?? ''] = startRun(event);
      return;
    case 'run-archived':
      delete state.runs[event.runId ?? ''];
      return;
    case 'rule-saved':
    case 'rule-removed':
      applyToRules(state.standing.rules, state.runs[event.runId ?? ''], event);
      return;
    default:
      applyToRun(state, runOf(state, event), event);
  }
}

function startRun(event: EventOf<'run-started'>): Run {
  return {
    id: event.runId ?? '',
    objective: event.objective,
    options: event.options,
    phase: 'planning',
    paused: false,
    stopped: false,
    planRevision: 0,
    outcome: { kind: 'kept' },
    settled: false,
    account: emptyAccount(),
    accounts: {},
    raised: {},
    warned: [],
    reservations: {},
    tasks: {},
    messages: {},
    mail: emptyMail(),
    requests: {},
    rules: event.options.rules ?? [],
    counters: { message: 0, request: 0, call: 0 },
    startedAt: event.at,
  };
}

type RunEvent = Exclude<
  SquadEvent,
  AgentEvent | { type: 'ledger-opened' | 'run-started' | 'run-archived' | 'rule-saved' | 'rule-removed' }
>;

function applyToRun(state: SquadState, run: Run, event: RunEvent): void {
  if (isMailEvent(event)) {
    applyToMail(state, run, event);
    return;
  }
  if (isRequestEvent(event)) {
    applyToRequests(state.standing, run, event);
    return;
  }
  switch (event.type) {
    case 'run-paused':
      run.paused = true;
      return;
    case 'run-resumed':
      run.paused = false;
      return;
    case 'run-stopped':
      run.stopped = true;
      return;
    case 'run-continued':
      run.stopped = false;
      return;
    case 'repository-seeded':
      run.seed = event.seed;
      run.integration = { commit: event.seed.commit, tree: event.seed.tree };
      return;
    case 'plan-submitted':
      run.plan = event.plan;
      run.planRevision = event.revision;
      run.phase = 'awaiting-approval';
      return;
    case 'plan-accepted':
      run.phase = 'working';
      return;
    case 'plan-revision-asked':
      run.phase = 'planning';
      return;
    case 'person-wrote':
      return;
    case 'budget-reached':
      run.reason = event.message;
      run.budgetReached = true;
      return;
    case 'budget-warned':
      run.warned.push(warningKey(event));
      return;
    case 'work-clocked':
      clockWork(state.standing, run, event);
      return;
    case 'result-refused':
      return;
    case 'run-ended':
      run.phase = 'ended';
      closeMail(run);
      run.status = event.status;
      run.endedAt = event.at;
      if (event.reason !== undefined) {
        run.reason = event.reason;
      }
      if (event.diff) {
        run.diff = event.diff;
      }
      return;
    case 'apply-started':
      run.outcome = { kind: 'applying', at: event.at };
      return;
    case 'apply-ended':
      run.outcome = event.applied ? { kind: 'applied', at: event.at } : { kind: 'kept' };
      return;
    case 'apply-undo-started':
      run.outcome = { kind: 'undoing', at: event.at };
      return;
    case 'apply-undo-ended':
      run.outcome = event.undone ? { kind: 'kept' } : { kind: 'applied', at: event.at };
      return;
    case 'branch-created':
      run.outcome = { kind: 'branched', at: event.at, name: event.name, commit: event.commit };
      return;
    case 'run-discarded':
      run.outcome = { kind: 'discarded', at: event.at };
      return;
    case 'branch-undone':
    case 'discard-undone':
      run.outcome = { kind: 'kept' };
      return;
    case 'run-settled':
      run.settled = true;
      return;
    case 'task-created':
      run.tasks[event.task.id] = createTask(event);
      return;
    default:
      applyToTask(state, run, taskOf(run, event), event);
  }
}

type MailEvent = Extract<RunEvent, { type: `message-${string}` }>;

const isMailEvent = (event: RunEvent): event is MailEvent => event.type.startsWith('message-');

function applyToMail(state: SquadState, run: Run, event: MailEvent): void {
  switch (event.type) {
    case 'message-sent':
      addMessage(run, event.message, event);
      countMessage(state, run, event);
      return;
    case 'message-delivered':
      messageOf(run, event.messageId).status = 'delivered';
      return;
    case 'message-acknowledged':
      endMessage(run, event.messageId, { status: 'processed', processedAt: event.at });
      return;
    case 'message-refused':
      restMessage(run, event, event.at);
      return;
    case 'message-retried':
      wakeMessage(run, event.messageId, event.at);
      return;
    case 'message-failed': {
      const { cause, reason } = event;
      endMessage(run, event.messageId, { status: 'failed', deadLetter: { cause, reason, failedAt: event.at } });
      return;
    }
    case 'message-resent':
      resendMessage(run, event, event.at);
      return;
    default:
      assertNever(event);
  }
}

type TaskEvent = Extract<
  RunEvent,
  {
    type:
      | `task-${string}`
      | `model-call-${string}`
      | `tool-call${string}`
      | `conversation-${string}`
      | 'changes-held-back'
      | 'check-ended';
  }
>;

function applyToTask(
  state: SquadState,
  run: Run,
  task: Task,
  event: Exclude<TaskEvent, { type: 'task-created' }>,
): void {
  switch (event.type) {
    case 'task-ready':
      task.phase = 'ready';
      return;
    case 'task-delegated':
      task.agentId = event.agentId;
      if (event.delegatedByAgentId !== undefined) {
        task.delegatedByAgentId = event.delegatedByAgentId;
      }
      occupyAgent(state.standing, event);
      return;
    case 'task-started':
      task.phase = 'working';
      task.startedAt ??= event.at;
      if (event.baseCommit !== undefined) {
        task.baseCommit = event.baseCommit;
      }
      return;
    case 'task-progressed':
      task.progress = { note: event.note, ...(event.percent === undefined ? {} : { percent: event.percent }) };
      return;
    case 'task-split':
      task.phase = 'split';
      return;
    case 'task-rejoined':
      task.phase = 'working';
      return;
    case 'task-claimed':
      task.phase = 'proving';
      task.checks = [];
      task.claim = {
        summary: event.summary,
        ...(event.artifacts === undefined ? {} : { artifacts: event.artifacts }),
      };
      return;
    case 'task-committed':
      task.work = { commit: event.commit, tree: event.tree };
      return;
    case 'check-ended':
      task.checks.push({ ...event.result, output: event.result.output.slice(-LONGEST_TEXT) });
      return;
    case 'task-verified':
      task.phase = 'merging';
      return;
    case 'task-reopened':
      task.phase = 'working';
      task.refusedClaims++;
      return;
    case 'task-rebased':
      task.baseCommit = event.baseCommit;
      return;
    case 'task-merged':
      task.merged = { commit: event.commit, tree: event.tree };
      run.integration = { commit: event.commit, tree: event.tree };
      return;
    case 'task-proven':
      endTask(state.standing, task, 'proven', event.at);
      return;
    case 'task-failed':
      task.failure = event.reason;
      endTask(state.standing, task, 'failed', event.at);
      return;
    case 'task-cancelled':
      task.failure = event.reason;
      endTask(state.standing, task, 'cancelled', event.at);
      return;
    case 'task-retried':
      releaseAgent(state.standing, task, event.at);
      resetTask(task);
      task.earlierFailure = event.reason.slice(0, LONGEST_TEXT);
      return;
    case 'task-handed-back':
      releaseAgent(state.standing, task, event.at);
      resetTask(task);
      task.handedBack++;
      return;
    case 'conversation-opened':
    case 'tool-calls-put-off':
      task.conversation.push(event.sequence);
      return;
    case 'conversation-noted':
      task.conversation.push(event.sequence);
      if (event.messageId !== undefined) {
        endMessage(run, event.messageId, { status: 'processed', processedAt: event.at });
      }
      return;
    case 'changes-held-back':
      return;
    case 'tool-call-started':
      task.openCall = { callId: event.callId, step: event.step, effect: event.effect };
      startToolClock(task, event.at);
      if (event.effect === 'network') {
        run.taint = { ...run.taint, untrusted: true };
      }
      return;
    case 'tool-call-ended':
      task.conversation.push(event.sequence);
      task.steps = event.step;
      stopToolClock(state.standing, run, task, event.at);
      delete task.openCall;
      return;
    case 'model-call-started':
      reserveCall(state.standing, run, task, event);
      return;
    case 'model-call-held':
      if (event.requestId !== undefined) {
        task.heldBy = event.requestId;
        task.phase = 'waiting_for_person';
      }
      return;
    case 'model-call-freed':
      delete task.heldBy;
      task.phase = 'working';
      return;
    case 'model-call-parked':
      task.parked = { until: event.until, reason: event.reason };
      return;
    case 'model-call-ended':
    case 'model-call-failed':
      delete task.parked;
      settleCall(state.standing, run, task, event);
      if (event.type === 'model-call-ended') {
        task.conversation.push(event.sequence);
      }
      return;
    default:
      assertNever(event);
  }
}

function countMessage({ standing }: SquadState, run: Run, { message }: EventOf<'message-sent'>): void {
  const agent = message.sender.kind === 'agent' ? standing.agents[message.sender.id] : undefined;
  const task = agent?.currentTaskId === undefined ? undefined : run.tasks[agent.currentTaskId];
  if (task) {
    task.spent.messages++;
  }
}

function runOf(state: SquadState, event: SquadEvent): Run {
  const run = state.runs[event.runId ?? ''];
  if (!run) {
    throw new Error(
      `Event ${event.sequence} (${event.type}) names a run that does not exist: ${event.runId ?? 'none'}`,
    );
  }
  return run;
}

function taskOf(run: Run, event: SquadEvent): Task {
  const task = run.tasks[event.taskId ?? ''];
  if (!task) {
    throw new Error(
      `Event ${event.sequence} (${event.type}) names a task that does not exist: ${event.taskId ?? 'none'}`,
    );
  }
  return task;
}

/** A task of any run that is not archived. */
export function findTask(state: SquadView, taskId: string | undefined): TaskView | undefined {
  return taskId === undefined ? undefined : Object.values(state.runs).find(({ tasks }) => tasks[taskId])?.tasks[taskId];
}

/** A task that is there, with its run; throws where it is not. */
export function taskAt(
  { runs }: SquadView,
  { runId, taskId }: { readonly runId: string; readonly taskId: string },
): { run: RunView; task: TaskView } {
  const run = runs[runId];
  const task = run?.tasks[taskId];
  if (!run || !task) {
    throw new Error(`No task ${taskId} in run ${runId}`);
  }
  return { run, task };
}

/** The run that views and commands mean when none is named: the newest. */
export function currentRun(state: SquadView | undefined): RunView | undefined {
  return Object.values(state?.runs ?? {}).at(-1);
}
