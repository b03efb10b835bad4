/**
 * Protected files that something changed without leave, as a command may that was allowed for something else: they are put
 * back at once, and changed after all only when a person allows just that. What is handed in is looked at once more.
 */
import { allowedChanges, type PersonRequest } from '../domain/approval.ts';
import type { HeldChange } from '../domain/fileChange.ts';
import { ToolRefusal } from '../domain/errors.ts';
import { commandLineOf } from '../domain/mcpServer.ts';
import { taskAt, type RunView, type TaskView } from '../domain/squadState.ts';
import { stampOfStart } from '../domain/stamps.ts';
import { callKey, requireCurrent, type AgentAtWork } from '../domain/task.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Ledger } from '../ports.ts';
import type { RunFiles, TaskFiles } from '../workspace/runFiles.ts';

type Changes = DeepReadonly<HeldChange[]>;

export class HeldChanges {
  private readonly ledger: Ledger;
  private readonly inbox: Inbox;
  private readonly filesOf: (runId: string) => RunFiles;

  constructor(options: { ledger: Ledger; inbox: Inbox; filesOf: (runId: string) => RunFiles }) {
    this.ledger = options.ledger;
    this.inbox = options.inbox;
    this.filesOf = options.filesOf;
  }

  /**
   * To be called when a command has ended, or is found cut off by a crash. Answers what to tell the model; undefined when
   * nothing protected was changed. A command that nobody was asked about only looks, so nobody looks after it.
   */
  async lookAfter(call: AgentAtWork & { readonly step: number }, signal: AbortSignal): Promise<string | undefined> {
    const { run } = this.find(call);
    const asked = run.requests[callKey(call)]?.subject;
    const command =
      asked?.kind === 'command' ? asked.command : asked?.kind === 'server' ? commandLineOf(asked) : undefined;
    if (command === undefined) {
      return undefined;
    }
    try {
      const known = run.requests[requestId(call)]?.subject;
      const held = known?.kind === 'changes' ? known.changes : await this.holdBack(call, signal);
      return held.length === 0 ? undefined : await this.settle(call, command, held, signal);
    } catch (error) {
      if (error instanceof ToolRefusal) {
        // What cannot be looked at cannot be handed in either.
        return error.message;
      }
      throw error;
    }
  }

  /** Puts back what was changed without leave, and writes down what it was. Rejects with a ToolRefusal where nobody can look. */
  async holdBack(claimant: AgentAtWork, signal: AbortSignal): Promise<Changes> {
    const { run, task, files } = this.find(claimant);
    const changes = await files.holdBack(baseOf(task), allowedChanges(run.requests, task.id), signal);
    if (changes.length > 0) {
      requireCurrent(task, claimant);
      this.ledger.append({ type: 'changes-held-back', ...stampOfStart(claimant), changes });
    }
    return changes;
  }

  private async settle(
    call: AgentAtWork & { readonly step: number },
    command: string,
    held: Changes,
    signal: AbortSignal,
  ): Promise<string> {
    const shown = held.filter(({ texts }) => texts);
    if (shown.length === 0) {
      return describeHeld(held);
    }
    const { runId, taskId, agentId } = call;
    const request: PersonRequest = {
      id: requestId(call),
      runId,
      taskId,
      agentId,
      subject: { kind: 'changes', command, changes: structuredClone(shown), isProtected: true },
    };
    const answer = await this.inbox.ask(request, signal);
    if (answer.kind !== 'allow') {
      const reason = answer.kind === 'deny' ? answer.reason : answer.text;
      return `${describeHeld(held)} The developer did not allow it${reason ? `: ${reason}` : '.'}`;
    }
    const { task, files } = this.find(call);
    await files.putThrough(baseOf(task), shown, signal);
    const others = held.filter((change) => !shown.includes(change));
    return [
      `The developer was shown what it changed of ${pathsOf(shown)}, and allowed it.`,
      ...(others.length > 0 ? [describeHeld(others)] : []),
    ].join(' ');
  }

  private find(claimant: AgentAtWork): { run: RunView; task: TaskView; files: TaskFiles } {
    const { run, task } = taskAt(this.ledger.state, claimant);
    return { run, task, files: this.filesOf(run.id).task(task) };
  }
}

/** For the model. */
export function describeHeld(changes: Changes): string {
  return `These files are protected, and what was made of them was put back: ${pathsOf(changes)}. To change one, use write_file or apply_edit, so that the developer is asked.`;
}

/** Beside the call's own request. */
function requestId(call: AgentAtWork & { readonly step: number }): string {
  return `${callKey(call)}.changes`;
}

function pathsOf(changes: Changes): string {
  return changes.map(({ path }) => path).join(', ');
}

function baseOf(task: TaskView): string {
  if (task.baseCommit === undefined) {
    throw new Error(`${task.id} has no worktree.`);
  }
  return task.baseCommit;
}
