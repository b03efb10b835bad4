/** Events as lines of the activity list. A new event type needs a row here, or says that it has none. */
import { describeSubject } from '../src/domain/approval.ts';
import { describeRule } from '../src/domain/grants.ts';
import type { EventOf, EventType, SquadEvent } from '../src/domain/events.ts';
import { PLANNING_TASK_KEY } from '../src/domain/plan.ts';
import { formatUsd } from '../src/domain/prices.ts';
import { describeMessage } from '../src/domain/message.ts';
import type { SquadView } from '../src/domain/squadState.ts';
import type { ViewState } from '../src/protocol/viewState.ts';
import { clockTime, waitingRequests, type Mark } from '../src/domain/phaseWords.ts';
import { count, countOf, nameOf } from './words.ts';

export const FILTERS = ['Important', 'Mail', 'Proof', 'All'] as const;
export type Filter = (typeof FILTERS)[number];

export interface ActivityLine {
  readonly sequence: number;
  readonly at: string;
  readonly who: string;
  readonly sign: { readonly mark: Mark } | { readonly icon: string };
  readonly text: string;
  readonly detail: string;
  readonly filters: readonly Filter[];
  /** Read out when it happens. */
  readonly isNews: boolean;
}

/** Newest first. */
export function linesOf({ state, events }: ViewState, filter: Filter): ActivityLine[] {
  return events
    .flatMap((event) => lineOf(event, { state, events }) ?? [])
    .filter((line) => filter === 'All' || line.filters.includes(filter))
    .reverse();
}

/** The newest sentence after that sequence that a screen reader is told. */
export function newsAfter({ state, events }: ViewState, after: number): string | undefined {
  const line = events
    .filter(({ sequence }) => sequence > after)
    .flatMap((event) => lineOf(event, { state, events }) ?? [])
    .findLast(({ isNews }) => isNews);
  return line && `${line.who}: ${line.text}`;
}

/** What a row says of its event. `filters` names the lists, besides All, that show it. */
interface Row {
  readonly sign: ActivityLine['sign'];
  readonly text: string;
  readonly detail?: string;
  readonly filters?: readonly Filter[];
  readonly isNews?: true;
  readonly who?: string;
}

interface Context {
  readonly state: SquadView;
  /** The event's task by its title, in quotes. */
  readonly task: string;
  /** Whether that task is the planning itself. */
  readonly isPlanning: boolean;
  /** What a request asks, in words, where the view still knows. */
  readonly asked: (requestId: string) => string;
  /** Whether a request still waits for its answer. */
  readonly isOpen: (requestId: string) => boolean;
}

type Rows = { readonly [Type in EventType]: ((event: EventOf<Type>, context: Context) => Row | undefined) | undefined };

const mark = (name: Mark): Row['sign'] => ({ mark: name });
const icon = (name: string): Row['sign'] => ({ icon: name });
const important: readonly Filter[] = ['Important'];
const proof: readonly Filter[] = ['Proof'];
const importantProof: readonly Filter[] = ['Important', 'Proof'];

const ROWS: Rows = {
  'ledger-opened': undefined,
  'run-started': () => ({ sign: icon('play'), text: 'started the run', filters: important }),
  'run-paused': () => ({ sign: mark('paused'), text: 'paused the run', filters: important }),
  'run-resumed': () => ({ sign: icon('play'), text: 'resumed the run', filters: important }),
  'run-stopped': () => ({ sign: mark('paused'), text: 'stopped the run; nothing is lost', filters: important }),
  'run-continued': () => ({ sign: icon('play'), text: 'took the run up again', filters: important }),
  'repository-seeded': () => ({ sign: icon('repo'), text: 'copied the workspace as it stands to work on' }),
  'plan-submitted': ({ plan, revision }) => ({
    sign: icon('list-ordered'),
    text: `submitted plan ${revision}: ${plan.summary}`,
    detail: countOf(plan.tasks.length, 'task'),
    filters: important,
  }),
  'plan-accepted': () => ({ sign: mark('proven'), text: 'took the plan as accepted', filters: important }),
  'plan-revision-asked': ({ comment }) => ({
    sign: icon('comment'),
    text: `asked Planning for another plan: ${comment}`,
    filters: important,
  }),
  'agent-created': undefined,
  'agent-destroyed': ({ agentId, reason }) => ({ sign: icon('trash'), text: `let ${agentId} go: ${reason}` }),
  'pool-scaled': ({ agentType, count }) => ({
    sign: icon('organization'),
    text:
      count === 0
        ? `wants as many ${agentType} agents as the work needs`
        : `wants ${countOf(count, `${agentType} agent`)}`,
    filters: important,
  }),
  'agent-draining': ({ agentId }) => ({ sign: icon('trash'), text: `lets ${agentId} go after its task` }),
  'agent-idled': undefined,
  'agent-began': undefined,
  'agent-silent': ({ reason }) => ({ sign: mark('failed'), text: reason, filters: important, isNews: true }),
  'agent-crashed': ({ reason }) => ({ sign: mark('failed'), text: reason, filters: important, isNews: true }),
  'agent-stuck': ({ reason }) => ({ sign: mark('failed'), text: reason, filters: important, isNews: true }),
  'agent-restart-planned': undefined,
  'agent-restarted': ({ agentId, fresh }, { task, state }) => ({
    sign: icon('debug-restart'),
    text: `started ${nameOf(state, { kind: 'agent', id: agentId })} again on ${task}`,
    detail: fresh ? 'reading it anew' : 'where it was',
    filters: important,
  }),
  'agent-given-up': ({ reason }) => ({ sign: mark('you'), text: reason, filters: important, isNews: true }),
  'agent-recovered': ({ agentId }, { state }) => ({
    sign: icon('debug-restart'),
    text: `brought ${nameOf(state, { kind: 'agent', id: agentId })} back`,
    filters: important,
  }),
  'task-created': (_, { task }) => ({ sign: icon('add'), text: `created ${task}` }),
  'task-ready': (_, { task }) => ({ sign: mark('ready'), text: `${task} is ready` }),
  'task-delegated': ({ agentId }, { state, task }) => ({
    sign: icon('arrow-right'),
    text: `gave ${task} to ${nameOf(state, { kind: 'agent', id: agentId })}`,
  }),
  'task-started': ({ attempt }, { task }) => ({
    sign: mark('working'),
    text: `opened a worktree for ${task}`,
    detail: attempt !== undefined && attempt > 1 ? `attempt ${attempt}` : '',
  }),
  'task-progressed': ({ note, percent }, { task }) => ({
    sign: mark('working'),
    text: note,
    detail: percent === undefined ? task : `${Math.round(percent)} %`,
  }),
  'task-claimed': ({ summary }, { task }) => ({
    sign: mark('proving'),
    text: `says ${task} is finished: ${summary}`,
    filters: proof,
  }),
  'task-committed': undefined,
  'check-ended': ({ result }, { task }) => ({
    sign: mark(result.passed ? 'proven' : 'failed'),
    text: `checked ${task}: ${result.summary}`,
    detail:
      result.durationMs < 1000 ? `${Math.round(result.durationMs)} ms` : `${(result.durationMs / 1000).toFixed(1)} s`,
    filters: result.passed ? proof : importantProof,
    ...(result.passed ? {} : { isNews: true }),
  }),
  'task-verified': (_, { task }) => ({ sign: mark('proving'), text: `${task} passed all its checks`, filters: proof }),
  'task-reopened': ({ cause }, { task }) => ({
    sign: icon('discard'),
    text: `sent ${task} back: ${REOPENED[cause]}`,
    filters: importantProof,
  }),
  'task-split': (_, { task }) => ({ sign: mark('waiting'), text: `waits for what it handed on of ${task}` }),
  'task-rejoined': (_, { task }) => ({ sign: mark('working'), text: `goes on with ${task}` }),
  'task-rebased': ({ conflicts }, { task }) => ({
    sign: icon('git-merge'),
    text: `moved ${task} onto the integration branch`,
    detail: conflicts.length === 0 ? '' : countOf(conflicts.length, 'conflict'),
  }),
  'task-merged': (_, { task }) => ({ sign: mark('merging'), text: `merged ${task}`, filters: proof }),
  // Of planning the accepted plan has told it already.
  'task-proven': ({ tree }, { task, isPlanning }) =>
    isPlanning
      ? undefined
      : {
          sign: mark('proven'),
          text: `${task} is proven`,
          detail: `tree ${tree.slice(0, 7)}`,
          filters: importantProof,
          isNews: true,
        },
  'task-failed': ({ reason }, { task }) => ({
    sign: mark('failed'),
    text: `${task} failed: ${reason}`,
    filters: important,
    isNews: true,
  }),
  'task-cancelled': ({ reason }, { task }) => ({
    sign: mark('cancelled'),
    text: `cancelled ${task}: ${reason}`,
    filters: important,
  }),
  'task-retried': ({ reason }, { task }) => ({
    sign: icon('discard'),
    text: `begins ${task} anew: ${reason}`,
    filters: important,
  }),
  'task-handed-back': ({ reason }, { task }) => ({
    sign: icon('discard'),
    text: `took ${task} back: ${reason}`,
    filters: important,
  }),
  'message-sent': ({ message }, { state }) => ({
    sign: icon('mail'),
    who: nameOf(state, message.sender),
    text: describeMessage(message.content),
    detail: `to ${nameOf(state, message.receiver)}`,
    filters: ['Mail'],
  }),
  'message-delivered': undefined,
  'message-acknowledged': undefined,
  'message-refused': ({ reason }) => ({
    sign: icon('history'),
    text: `will try a message again: ${reason}`,
    filters: ['Mail'],
  }),
  'message-retried': undefined,
  'message-failed': ({ reason }) => ({
    sign: mark('failed'),
    text: `could not deliver a message: ${reason}`,
    filters: ['Important', 'Mail'],
    isNews: true,
  }),
  'message-resent': ({ receiverId }) => ({
    sign: icon('mail'),
    text: `sent a message again${receiverId === undefined ? '' : `, to ${receiverId}`}`,
    filters: ['Mail'],
  }),
  // The messages it became follow.
  'person-wrote': undefined,
  'conversation-opened': undefined,
  'conversation-noted': undefined,
  // Only what it was not told is worth a line.
  'model-call-started': ({ leftOut = 0 }, { task }) =>
    leftOut === 0
      ? undefined
      : {
          sign: icon('fold'),
          text: `left out ${countOf(leftOut, 'older result')} of ${task} that the model has no room for`,
        },
  'model-call-parked': ({ reason, until }, { task }) => ({
    sign: icon('clock'),
    text: `${task} stands still until ${clockTime(until)}: ${reason}`,
    filters: important,
  }),
  'model-call-held': ({ requestId }, { task }) => ({
    sign: icon('clock'),
    text: `${task} stands still: its next call ${requestId === undefined ? 'waits for what calls under way leave of the budget' : 'needs a higher budget'}`,
  }),
  'model-call-freed': undefined,
  'model-call-ended': ({ usage }, { task }) => ({
    sign: icon('comment-discussion'),
    text: `a model answered for ${task}`,
    detail: `${countOf(usage.inputTokens + usage.outputTokens, 'token')}${usage.microUsd === undefined ? '' : `, ${formatUsd(usage.microUsd)}`}`,
  }),
  'model-call-failed': ({ message }, { task }) => ({
    sign: mark('failed'),
    text: `a model call for ${task} failed: ${message}`,
    filters: important,
  }),
  'tool-call-started': undefined,
  'tool-call-ended': ({ tool, outcome, step }, { task }) => ({
    sign: outcome === 'failed' ? mark('failed') : icon(outcome === 'refused' ? 'circle-slash' : 'tools'),
    text: `${tool} for ${task}${outcome === 'ok' ? '' : `: ${outcome}`}`,
    detail: `call ${step}`,
  }),
  'tool-calls-put-off': ({ calls }, { task }) => ({
    sign: icon('debug-pause'),
    text: `put off ${countOf(calls.length, 'call')} for ${task}: mail came first`,
  }),
  'changes-held-back': ({ changes }, { task }) => ({
    sign: icon('discard'),
    text: `put back ${changes.map(({ path }) => path).join(', ')}, which ${task} changed without being allowed`,
    filters: important,
  }),
  // Answered ones are told by their answer, those that a rule of the run answered in the same moment only among all.
  'request-opened': ({ request }, { isOpen }) => ({
    sign: isOpen(request.id) ? mark('you') : icon('question'),
    text: `asks: ${describeSubject(request.subject)}`,
    ...(isOpen(request.id) ? { filters: important, isNews: true } : {}),
  }),
  'request-answered': ({ requestId, answer, door }, { asked }) => ({
    sign: icon(answer.kind === 'deny' ? 'circle-slash' : 'check'),
    text: `${ANSWERED[answer.kind]}: ${asked(requestId)}`,
    detail: door === 'policy' ? 'as you allowed it before' : `in the ${door}`,
    filters: door === 'policy' ? [] : important,
  }),
  'request-expired': ({ requestId }, { asked }) => ({
    sign: icon('clock'),
    text: `was left without an answer: ${asked(requestId)}`,
    filters: important,
  }),
  'request-withdrawn': ({ reason }) => ({ sign: icon('circle-slash'), text: `took a question back: ${reason}` }),
  'budget-warned': ({ message }) => ({ sign: icon('warning'), text: message, filters: important, isNews: true }),
  'rule-saved': ({ rule }) => ({
    sign: icon('law'),
    text: `made a rule: allow ${describeRule(rule)}`,
    filters: important,
  }),
  'rule-removed': () => ({ sign: icon('law'), text: 'took a rule back', filters: important }),
  'budget-reached': ({ message }) => ({ sign: mark('you'), text: message, filters: important, isNews: true }),
  'work-clocked': undefined,
  'run-ended': ({ status, usage, reason }) => ({
    sign: mark(status === 'succeeded' ? 'proven' : status === 'failed' ? 'failed' : 'paused'),
    text: `ended the run: ${ENDED[status]}${status !== 'failed' || reason === undefined ? '' : `, ${reason}`}`,
    detail: `${count(usage.tokens)} tokens`,
    filters: important,
    isNews: true,
  }),
  'apply-started': ({ paths }) => ({
    sign: icon('cloud-download'),
    text: 'began to write the result into the workspace',
    detail: countOf(paths.length, 'file'),
    filters: important,
  }),
  // The run's end says it too.
  'result-refused': undefined,
  'apply-ended': ({ applied, detail }) => ({
    sign: mark(applied ? 'proven' : 'you'),
    text: applied ? 'applied the result' : `did not apply the result: ${detail}`,
    filters: important,
  }),
  'apply-undo-started': undefined,
  'apply-undo-ended': ({ undone, detail }) => ({
    sign: undone ? icon('discard') : mark('you'),
    text: undone ? 'took the applied result back' : `did not take the result back: ${detail}`,
    filters: important,
  }),
  'branch-created': ({ name }) => ({ sign: icon('git-branch'), text: `made the branch ${name}`, filters: important }),
  'branch-undone': () => ({ sign: icon('discard'), text: 'undid the branch', filters: important }),
  'run-discarded': () => ({ sign: icon('trash'), text: 'discarded the result', filters: important }),
  'discard-undone': () => ({ sign: icon('discard'), text: 'took the result out of the trash', filters: important }),
  'run-settled': undefined,
  'run-archived': undefined,
};

const REOPENED: Readonly<Record<EventOf<'task-reopened'>['cause'], string>> = {
  claim: 'what it claimed does not hold',
  protected: 'protected files were changed without being allowed',
  checks: 'a check failed',
  conflict: 'it is in conflict with what was merged',
  integration: 'a check failed after the merge',
};

const ENDED: Readonly<Record<EventOf<'run-ended'>['status'], string>> = {
  succeeded: 'every task is proven',
  failed: 'failed',
  stopped: 'stopped',
  'budget-reached': 'the budget is reached',
};

const ANSWERED: Readonly<Record<EventOf<'request-answered'>['answer']['kind'], string>> = {
  allow: 'allowed',
  deny: 'refused',
  text: 'answered',
};

function lineOf(event: SquadEvent, { state, events }: ViewState): ActivityLine | undefined {
  // The row of a type takes that type's events; the index loses that.
  const toRow = ROWS[event.type] as ((event: SquadEvent, context: Context) => Row | undefined) | undefined;
  const run = state.runs[event.runId ?? ''];
  const task = run?.tasks[event.taskId ?? ''];
  const row = toRow?.(event, {
    state,
    task: task ? `“${task.title}”` : 'a task',
    isPlanning: task?.key === PLANNING_TASK_KEY,
    asked: (requestId) => {
      const opened = events.find((each) => each.type === 'request-opened' && each.request.id === requestId);
      return opened?.type === 'request-opened' ? describeSubject(opened.request.subject) : 'an earlier question';
    },
    isOpen: (requestId) => run !== undefined && waitingRequests(run).some(({ id }) => id === requestId),
  });
  return (
    row && {
      sequence: event.sequence,
      at: event.at,
      who: row.who ?? nameOf(state, event.actor),
      sign: row.sign,
      text: row.text,
      detail: row.detail ?? '',
      filters: row.filters ?? [],
      isNews: row.isNews ?? false,
    }
  );
}
