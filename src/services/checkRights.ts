/**
 * Which commands the host may run as acceptance checks: those that a person accepted with the plan, with what they ran then,
 * and what was allowed since. A check that was added later, or runs something else by now, is asked about anew.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { CheckRun, RequestSubject } from '../domain/approval.ts';
import type { AcceptanceCheck, CheckStage } from '../domain/proof.ts';
import { policyOf } from '../domain/policy.ts';
import { taskAt, type RunView, type TaskView } from '../domain/squadState.ts';
import { callKey, type AgentAtWork } from '../domain/task.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Ledger } from '../ports.ts';
import type { RunFiles, TaskFiles } from '../workspace/runFiles.ts';

type PlanChecks = (RequestSubject & { kind: 'plan' })['checks'];
type Checks = DeepReadonly<AcceptanceCheck[]>;
type Call = AgentAtWork & { readonly step: number };

/** Checks that a person did not allow, by their place, with why; and whether anybody was asked. */
export interface Refusals {
  readonly refused: ReadonlyMap<number, string>;
  readonly asked: boolean;
}

export class CheckRights {
  private readonly ledger: Ledger;
  private readonly inbox: Inbox;
  private readonly filesOf: (runId: string) => RunFiles;

  constructor(options: { ledger: Ledger; inbox: Inbox; filesOf: (runId: string) => RunFiles }) {
    this.ledger = options.ledger;
    this.inbox = options.inbox;
    this.filesOf = options.filesOf;
  }

  /** The checks of a plan with what they run where the run stands now. `call` asks a person about the plan. */
  async ofPlan(call: Call, checks: PlanChecks, signal: AbortSignal): Promise<PlanChecks> {
    const { run, files } = this.find(call);
    const on = this.standOf(call);
    const policy = policyOf(run.options);
    const request = { checks: checks.map(({ check }) => check), on, policy, requestIds: [callKey(call)] };
    const runs = await files.checkRuns(request, signal);
    return checks.map((check, index) => {
      const found = runs[index];
      return found ? { ...check, run: found } : check;
    });
  }

  /** Asks about each check of the task that nobody has allowed as it is on that tree. */
  ofTask(call: Call, { stage, on }: { stage: CheckStage; on: string }, signal: AbortSignal): Promise<Refusals> {
    const checks = this.find(call).task.acceptance;
    const why = 'It is a check of the task, and what it runs is not what you saw with the plan.';
    return this.askAbout(call, { checks, on, why, key: `${callKey(call)}.${stage}` }, signal);
  }

  /** Asks about the checks of a part that a task hands on, as they are where the run stands now. */
  ofPart(call: Call, checks: Checks, why: string, signal: AbortSignal): Promise<Refusals> {
    return this.askAbout(call, { checks, on: this.standOf(call), why, key: `${callKey(call)}.check` }, signal);
  }

  private async askAbout(
    call: Call,
    { checks, on, why, key }: { checks: Checks; on: string; why: string; key: string },
    signal: AbortSignal,
  ): Promise<Refusals> {
    const { run, files } = this.find(call);
    const requestIds = checks.map((_, index) => `${key}.${index}`);
    const runs = await files.checkRuns({ checks, on, policy: policyOf(run.options), requestIds }, signal);
    const refused = new Map<number, string>();
    let asked = false;
    for (const [index, id] of requestIds.entries()) {
      const found = runs[index];
      if (!found) {
        continue;
      }
      const { runId, taskId, agentId } = call;
      const request = { id, runId, taskId, agentId, subject: subjectOf(run, found, why) };
      if (!run.requests[id] && this.inbox.isAllowed(request)) {
        continue;
      }
      asked = true;
      const answer = await this.inbox.ask(request, signal);
      if (answer.kind !== 'allow') {
        const reason = answer.kind === 'deny' ? answer.reason : answer.text;
        refused.set(index, `The developer did not allow the check ${found.command}${reason ? `: ${reason}` : '.'}`);
      }
    }
    return { refused, asked };
  }

  private standOf(call: Call): string {
    const { run } = this.find(call);
    if (!run.integration) {
      throw new Error(`Run ${run.id} has no integration branch.`);
    }
    return run.integration.commit;
  }

  private find(call: AgentAtWork): { run: RunView; task: TaskView; files: TaskFiles } {
    const { run, task } = taskAt(this.ledger.state, call);
    return { run, task, files: this.filesOf(run.id).task(task) };
  }
}

function subjectOf(run: RunView, { command, runs }: CheckRun, why: string): RequestSubject {
  return {
    kind: 'command',
    command,
    cwd: '.',
    why,
    isCheck: true,
    ...(runs.length > 0 ? { runs } : {}),
    ...(isSandboxed(run) ? { isSandboxed: true } : {}),
  };
}

/** As the plan said that its checks are. */
function isSandboxed({ requests }: RunView): boolean {
  return Object.values(requests).some(({ subject }) => subject.kind === 'plan' && subject.isSandboxed === true);
}
