/**
 * The agent's loop: model turn, tool calls, again, until a tool ends it. It emits events and knows no UI, file or
 * provider. Everything it needs to go on is in the ledger, so after a crash it simply starts again and continues.
 */
import { policyOf } from '../domain/policy.ts';
import type { Emitter } from '../base/emitter.ts';
import type { ToolCall } from '../domain/conversation.ts';
import { taskAt, type TaskView } from '../domain/squadState.ts';
import { limitsOf, refuseTurn } from '../domain/limits.ts';
import { NUDGE_AFTER, repeatsOf, whyStuck } from '../domain/progress.ts';
import type { Signal } from '../domain/signals.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { callKey, requireCurrent, type AgentAtWork } from '../domain/task.ts';
import { couldCarryAway } from '../domain/taint.ts';
import { pausePoint } from '../inbox/pausePoint.ts';
import type { Ledger } from '../ports.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import type { Servers } from '../tools/servers.ts';
import type { Web } from '../tools/web.ts';
import type { ToolRunner } from '../tools/toolRunner.ts';
import type { TaskWorkspace } from '../workspace/taskWorkspace.ts';
import type { ModelTurn } from './modelTurn.ts';
import { NUDGE, Transcript } from './transcript.ts';

export interface LoopServices {
  readonly ledger: Ledger;
  readonly toolRunner: ToolRunner;
  readonly modelTurn: ModelTurn;
  readonly signals: Emitter<Signal>;
  readonly web: Web;
  readonly servers: Servers;
  /**
   * Notes mail that has come for the agent into its conversation, the most urgent first; calls that have no result yet are
   * answered as put off in the same breath. Says whether there was any.
   */
  readonly takeMail: (notBegun: readonly ToolCall[]) => Promise<boolean>;
  readonly hasMail: () => boolean;
}

/** What an agent does once there is a later start of it counts no more. */
export interface LoopWork extends AgentAtWork {
  readonly instructions: string;
  readonly brief: string;
  readonly tools: readonly Tool[];
  readonly workspace: TaskWorkspace;
  /** Once aborted, no other call begins. */
  readonly winding: AbortSignal;
}

/** `ended` by a tool with its value, or given up, or in circles, with a reason that a person can read. */
export type LoopEnd = { kind: 'ended'; value: unknown } | { kind: 'gave-up' | 'stuck'; reason: string };

export async function runAgentLoop(services: LoopServices, work: LoopWork, signal: AbortSignal): Promise<LoopEnd> {
  const { ledger } = services;
  const transcript = new Transcript(ledger);
  if (taskOf(ledger, work).conversation.length === 0) {
    note(services, work);
  }
  for (;;) {
    work.winding.throwIfAborted();
    await pausePoint(ledger, work.runId, signal);
    services.signals.fire({ type: 'turn-begun', runId: work.runId, taskId: work.taskId, agentId: work.agentId });
    await transcript.catchUp(taskOf(ledger, work));
    requireCurrent(taskOf(ledger, work), work);
    const [call, ...others] = transcript.unanswered();
    if (call) {
      const context = contextOf(services, work);
      const interrupted = taskOf(ledger, work).openCall !== undefined;
      const wasAsked = ledger.state.runs[work.runId]?.requests[callKey(context)] !== undefined;
      // A model must see a message after one call at most, and every call needs a result before anything else may be said:
      // so the rest of the answer is put off, and the model, which knows more now, decides about it anew. What a person was
      // asked about is not: their answer is for this call and no other.
      const mayPutOff = transcript.isBetweenCalls() && !interrupted && !wasAsked;
      if (mayPutOff && (await services.takeMail([call, ...others]))) {
        continue;
      }
      const result = await services.toolRunner.run(call, work.tools, context, { interrupted }, signal);
      if (result.end) {
        return { kind: 'ended', value: result.end.value };
      }
      continue;
    }
    const answers = transcript.answers();
    // Whoever was told something new may well do the same again.
    const sinceNews = transcript.answersSinceMail();
    const stuck = whyStuck(answers.at(-1) === '' ? answers : sinceNews);
    if (stuck !== undefined) {
      return { kind: 'stuck', reason: stuck };
    }
    const refusal = refuseTurn(limitsOf(ledger.state.runs[work.runId]?.options ?? {}), taskOf(ledger, work).spent);
    if (refusal !== undefined) {
      return { kind: 'gave-up', reason: refusal };
    }
    const isProse = answers.at(-1) === '';
    if ((isProse || repeatsOf(sinceNews) === NUDGE_AFTER) && !transcript.wasNudged()) {
      note(services, work, isProse ? proseNudge(work.tools) : CIRCLE_NUDGE);
      continue;
    }
    await services.takeMail([]);
    await transcript.catchUp(taskOf(ledger, work));
    await services.modelTurn.take(work, transcript.entries, services.hasMail, signal);
  }
}

const CIRCLE_NUDGE = `${NUDGE} You made the same call ${NUDGE_AFTER} times in a row, and it ended the same each time. Once more will not help: read what it answered, and do something else.`;

function proseNudge(tools: readonly Tool[]): string {
  const names = tools.map(({ name }) => name);
  return `${NUDGE} You answered without calling a tool (or the answer was cut off for its length before the call was whole: write less at once), so nothing happened. Only tool calls count: ${names.join(', ')}. When all is done, call ${names.includes('submit_plan') ? 'submit_plan' : 'finish_task'}.`;
}

/** Opens the conversation, or says something in it. */
function note(services: LoopServices, work: LoopWork, nudge?: string): void {
  const { instructions, brief } = work;
  services.ledger.append(
    nudge === undefined
      ? { type: 'conversation-opened', ...stampByAgent(work), instructions, brief }
      : { type: 'conversation-noted', ...stampOfStart(work), text: nudge },
  );
}

function contextOf(services: LoopServices, work: LoopWork): ToolContext {
  const { runId, taskId, agentId, attempt, restarts, workspace } = work;
  const { task, run } = taskAt(services.ledger.state, work);
  return {
    runId,
    taskId,
    agentId,
    attempt,
    restarts,
    step: task.openCall?.step ?? task.steps + 1,
    writes: task.writes,
    workspace,
    web: services.web,
    servers: services.servers,
    mcpServers: run.options.mcpServers ?? [],
    policy: policyOf(run.options),
    couldCarryAway: couldCarryAway(run.taint),
    onOutput: (text) => {
      services.signals.fire({ type: 'tool-output', runId, taskId, agentId, text });
    },
  };
}

function taskOf({ state }: Ledger, work: Pick<LoopWork, 'runId' | 'taskId'>): TaskView {
  return taskAt(state, work).task;
}
