/**
 * One tool call from its text to its end: find the tool, parse strictly, ask a person where it must, write the effect's
 * key before it and its outcome after it. It never throws but for an aborted signal, a closed ledger or a call that counts
 * no more: whatever else
 * goes wrong is an answer for the model.
 */
import * as z from 'zod';
import { withoutControls } from '../base/visibleText.ts';
import type { RequestAnswer, RequestSubject } from '../domain/approval.ts';
import type { ToolCall } from '../domain/conversation.ts';
import { LedgerClosedError, messageOf, SupersededError, ToolRefusal } from '../domain/errors.ts';
import type { EventOf } from '../domain/events.ts';
import { effectText } from '../domain/grants.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { callKey, requireCurrent } from '../domain/task.ts';
import { pausePoint } from '../inbox/pausePoint.ts';
import type { Ledger } from '../ports.ts';
import {
  MAX_RESULT_CHARACTERS,
  type PerformTool,
  type PermitTool,
  type Tool,
  type ToolContext,
  type ToolResult,
} from './tool.ts';

/** Asks a person about one call and waits; the same call asks once, also across a restart. */
export type AskPerson = (subject: RequestSubject, context: ToolContext, signal: AbortSignal) => Promise<RequestAnswer>;

/**
 * Looks at what a command made of protected files: puts it back, asks, and does it after all where it is allowed. Answers
 * a sentence for the model where there was any.
 */
export type LookAfter = (context: ToolContext, signal: AbortSignal) => Promise<string | undefined>;

/** The call stands as it stood: whoever runs the agent looks anew what to do first. */
const NOT_BEGUN: ToolResult = { text: '' };

const CHANGED_MEANWHILE =
  'The developer allowed this, but what it would do has changed meanwhile, so it was not done. Look again, and call it anew if it is still right.';

type Outcome = EventOf<'tool-call-ended'>['outcome'];
/** With a sentence that is never cut. */
type Result = ToolResult & { readonly note?: string };

export class ToolRunner {
  private readonly ledger: Ledger;
  private readonly askPerson: AskPerson;
  private readonly performTool: PerformTool;
  private readonly permit: PermitTool;
  private readonly lookAfter: LookAfter;

  constructor(options: {
    ledger: Ledger;
    permit: PermitTool;
    askPerson: AskPerson;
    perform: PerformTool;
    lookAfter: LookAfter;
  }) {
    this.ledger = options.ledger;
    this.permit = options.permit;
    this.askPerson = options.askPerson;
    this.performTool = options.perform;
    this.lookAfter = options.lookAfter;
  }

  /** Resolves without an end in the ledger when the run was paused right before the call began. `interrupted`: the call had begun when the process ended, and nothing is known of its end. */
  async run(
    call: ToolCall,
    tools: readonly Tool[],
    context: ToolContext,
    options: { interrupted: boolean },
    signal: AbortSignal,
  ): Promise<ToolResult> {
    signal.throwIfAborted();
    const tool = tools.find(({ name }) => name === call.name);
    if (!tool) {
      return this.end(call, context, 'refused', {
        text: `There is no tool "${call.name}". You have: ${tools.map(({ name }) => name).join(', ')}.`,
      });
    }
    const input = parseArguments(tool, call.argumentsText);
    if (input.problem !== undefined) {
      return this.end(call, context, 'refused', { text: input.problem });
    }
    if (options.interrupted && tool.afterCrash === 'report') {
      return this.attempt(call, context, 'failed', signal, async () => ({
        text: 'The host was restarted while this ran. It may have done all, some or nothing of its work: look before you run it again.',
        ...(await this.afterwards(tool, context, signal)),
      }));
    }
    const judged = this.permit(tool, input.value, context, signal);
    const permission = judged instanceof Promise ? await judged : judged;
    signal.throwIfAborted();
    requireCurrent(this.ledger.state.runs[context.runId]?.tasks[context.taskId], context);
    if (permission.kind === 'refuse') {
      return this.end(call, context, 'refused', { text: permission.reason });
    }
    if (permission.kind === 'ask' && !options.interrupted) {
      const answer = await this.askPerson(permission.subject, context, signal);
      if (answer.kind !== 'allow') {
        const reason = answer.kind === 'deny' ? answer.reason : answer.text;
        return this.end(call, context, 'refused', {
          text: `The developer did not allow this${reason ? `: ${reason}` : '.'} Find another way, or say in finish_task what you could not do.`,
        });
      }
      // What was shown may not be what is there by now; of the web, just the address that was shown is connected to.
      const again = tool.effect === 'network' ? permission : this.permit(tool, input.value, context, signal);
      const now = again instanceof Promise ? await again : again;
      if (now.kind === 'refuse' || (now.kind === 'ask' && !isSameEffect(now.subject, permission.subject))) {
        return this.end(call, context, 'refused', {
          text: now.kind === 'refuse' ? now.reason : CHANGED_MEANWHILE,
        });
      }
    }
    return this.perform(tool, input.value, call, context, signal);
  }

  private async perform(
    tool: Tool,
    input: unknown,
    call: ToolCall,
    context: ToolContext,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    const { runId, taskId, step } = context;
    if (this.ledger.state.runs[runId]?.paused) {
      // A person paused the run and then answered the request this call waited for. Much may have come meanwhile.
      await pausePoint(this.ledger, runId, signal);
      return NOT_BEGUN;
    }
    signal.throwIfAborted();
    const started = this.ledger.append({
      type: 'tool-call-started',
      ...stampByAgent(context),
      callId: call.id,
      step,
      tool: tool.name,
      effect: tool.effect,
    });
    if (tool.effect !== 'read') {
      await started.durable;
    }
    signal.throwIfAborted();
    requireCurrent(this.ledger.state.runs[runId]?.tasks[taskId], context);
    this.ledger.assertOwner();
    return this.attempt(call, context, 'ok', signal, async () => {
      const granted = this.ledger.state.runs[runId]?.requests[callKey(context)]?.subject;
      const result = await this.performTool(tool, input, granted ? { ...context, granted } : context, signal);
      return { ...result, ...(await this.afterwards(tool, context, signal)) };
    });
  }

  /** Ends the call with what the work comes to: with `outcome`, unless it throws. */
  private async attempt(
    call: ToolCall,
    context: ToolContext,
    outcome: Outcome,
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<ToolResult> {
    try {
      return this.end(call, context, outcome, await work());
    } catch (error) {
      if (signal.aborted || error instanceof LedgerClosedError || error instanceof SupersededError) {
        throw error;
      }
      return this.end(call, context, error instanceof ToolRefusal ? 'refused' : 'failed', { text: messageOf(error) });
    }
  }

  private async afterwards(tool: Tool, context: ToolContext, signal: AbortSignal): Promise<{ note?: string }> {
    const note = tool.effect === 'process' ? await this.lookAfter(context, signal) : undefined;
    return note === undefined ? {} : { note };
  }

  private end(call: ToolCall, context: ToolContext, outcome: Outcome, { note, ...result }: Result): ToolResult {
    const text = withoutControls([shorten(result.text), ...(note === undefined ? [] : [note])].join('\n'));
    requireCurrent(this.ledger.state.runs[context.runId]?.tasks[context.taskId], context);
    this.ledger.append(...(result.events ?? []), {
      type: 'tool-call-ended',
      ...stampOfStart(context),
      callId: call.id,
      step: context.step,
      tool: call.name,
      outcome,
      result: text,
    });
    return { ...result, text };
  }
}

function isSameEffect(one: RequestSubject, other: RequestSubject): boolean {
  return effectText(one) === effectText(other);
}

function parseArguments(tool: Tool, text: string): { value?: unknown; problem?: string } {
  let json: unknown;
  try {
    json = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch (error) {
    return {
      problem: `The arguments of ${tool.name} are not valid JSON (${messageOf(error)}). Call it again with one JSON object.`,
    };
  }
  const parsed = tool.input.safeParse(json);
  return parsed.success
    ? { value: parsed.data }
    : { problem: `The arguments of ${tool.name} do not fit:\n${z.prettifyError(parsed.error)}` };
}

/** Keeps both ends: errors stand at the end, what ran at the beginning. */
function shorten(text: string): string {
  if (text.length <= MAX_RESULT_CHARACTERS) {
    return text;
  }
  const half = MAX_RESULT_CHARACTERS / 2;
  return `${text.slice(0, half)}\n… ${text.length - MAX_RESULT_CHARACTERS} characters left out …\n${text.slice(-half)}`;
}
