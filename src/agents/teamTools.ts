/** Tools by which an agent takes part in the team: they act through services, so they stand here and not in tools/. */
import * as z from 'zod';
import { agentTypeSchema } from '../domain/agent.ts';
import type { RequestAnswer } from '../domain/approval.ts';
import { ToolRefusal } from '../domain/errors.ts';
import { limitsOf, refuseMessages } from '../domain/limits.ts';
import { planProblems, projectPlanSchema } from '../domain/plan.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';
import { stampByAgent, stampOfStart } from '../domain/stamps.ts';
import { callKey } from '../domain/task.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Ledger } from '../ports.ts';
import type { AgentCommunicationService } from '../services/agentCommunicationService.ts';
import { wasMade } from '../services/outbox.ts';
import type { CheckRights } from '../services/checkRights.ts';
import type { DelegatedTasks } from '../services/delegatedTasks.ts';
import type { TaskCompletion } from '../services/taskCompletion.ts';
import { requestOf } from './callRequest.ts';
import { delegateTool } from './delegateTool.ts';
import { defineTool, type Tool, type ToolContext } from '../tools/tool.ts';

const messageSchema = z.strictObject({
  to: z.string().min(1).describe('Agent id, role, or "all"'),
  type: z.enum(['status_update', 'coordination']),
  content: z.string().min(1).max(8000),
  priority: z.number().int().min(1).max(5).optional().describe('5 goes first; default 3'),
});
const questionSchema = z.strictObject({
  question: z.string().min(1).max(4000),
  options: z.array(z.string().min(1).max(200)).max(10).optional(),
});
const progressSchema = z.strictObject({
  percent: z.number().min(0).max(100).optional(),
  note: z.string().min(1).max(300),
});

export class TeamTools {
  private readonly ledger: Ledger;
  private readonly inbox: Inbox;
  private readonly communication: AgentCommunicationService;
  private readonly completion: TaskCompletion;
  private readonly delegated: DelegatedTasks;
  private readonly rights: CheckRights;

  constructor(services: {
    ledger: Ledger;
    inbox: Inbox;
    communication: AgentCommunicationService;
    completion: TaskCompletion;
    delegated: DelegatedTasks;
    rights: CheckRights;
  }) {
    this.rights = services.rights;
    this.ledger = services.ledger;
    this.inbox = services.inbox;
    this.communication = services.communication;
    this.completion = services.completion;
    this.delegated = services.delegated;
  }

  /** Tools of an agent that works on a task; `artifacts` is what its method hands in. */
  forWork(artifacts: z.ZodType): Tool[] {
    return [
      this.finishTask(artifacts),
      this.delegateTask(),
      this.sendMessage(),
      this.askHuman(),
      this.reportProgress(),
    ];
  }

  forPlanning(): Tool[] {
    return [this.submitPlan(), this.askHuman()];
  }

  private submitPlan(): Tool {
    return defineTool({
      name: 'submit_plan',
      description:
        'Hands the plan to the developer. Answers what is wrong with its form, what the developer wants changed, or that it is accepted.',
      input: projectPlanSchema,
      effect: 'team',
      afterCrash: 'repeat',
      run: async (plan, context, signal) => {
        const problems = planProblems(plan);
        if (problems.length > 0) {
          throw new ToolRefusal(
            `The plan cannot be carried out:\n- ${problems.join('\n- ')}\nSubmit it again, mended.`,
          );
        }
        const checks = plan.tasks.flatMap(({ key, acceptance }) =>
          acceptance.map((check) => ({ taskKey: key, check })),
        );
        const request = requestOf(context, {
          kind: 'plan',
          revision: (this.ledger.state.runs[context.runId]?.planRevision ?? 0) + 1,
          summary: plan.summary,
          checks: await this.rights.ofPlan(context, checks, signal),
          ...(context.workspace.isSandboxed ? { isSandboxed: true } : {}),
        });
        const stamp = stampOfStart(context);
        if (!this.ledger.state.runs[context.runId]?.requests[request.id]) {
          this.ledger.append({
            type: 'plan-submitted',
            ...stampByAgent(context),
            plan,
            revision: (this.ledger.state.runs[context.runId]?.planRevision ?? 0) + 1,
          });
        }
        const answer = await this.inbox.ask(request, signal);
        if (answer.kind === 'allow') {
          return {
            text: 'The developer accepted the plan.',
            // Proven in the same breath: a crash after the call's end must not find the planner still at work.
            events: [
              { type: 'plan-accepted', ...stamp, requestId: request.id },
              { type: 'task-proven', ...stamp, ...this.integrationOf(context.runId) },
            ],
            end: { value: plan },
          };
        }
        const comment = (answer.kind === 'deny' ? answer.reason : answer.text) ?? 'no reason given';
        return {
          text: `The developer does not accept the plan yet: ${comment}\nSubmit a revised plan.`,
          events: [{ type: 'plan-revision-asked', ...stamp, requestId: request.id, comment }],
        };
      },
    });
  }

  private delegateTask(): Tool {
    const { ledger, inbox, delegated } = this;
    return delegateTool({ ledger, inbox, delegated, rights: this.rights });
  }

  private finishTask(artifacts: z.ZodType): Tool {
    return defineTool({
      name: 'finish_task',
      description:
        'Says that the task is done. The host then runs the acceptance checks on the exact tree and merges it; the answer says what failed, if anything.',
      input: z.strictObject({
        summary: z.string().min(1).max(4000).describe('What was done and what a reader should know; no praise'),
        artifacts: artifacts.optional(),
      }),
      effect: 'team',
      afterCrash: 'repeat',
      run: async ({ summary, artifacts: handedIn }, context, signal) => {
        const parsed = artifacts.safeParse(handedIn ?? {});
        if (!parsed.success) {
          throw new ToolRefusal(`"artifacts" does not fit:\n${z.prettifyError(parsed.error)}`);
        }
        const toRead = await this.delegated.join(context, signal);
        if (toRead !== undefined) {
          return { text: toRead };
        }
        const outcome = await this.completion.complete(context, { summary, artifacts: parsed.data }, signal);
        return outcome.accepted
          ? { text: 'Proven and merged.', events: [outcome.proven], end: { value: parsed.data } }
          : { text: outcome.detail, events: [outcome.reopened] };
      },
    });
  }

  private sendMessage(): Tool {
    return defineTool({
      name: 'send_message',
      description:
        'Writes to another agent (its id), to all agents of a role, or to "all". They read it at their next turn.',
      input: messageSchema,
      effect: 'team',
      afterCrash: 'repeat',
      run: async ({ to, type, content, priority = 3 }, context) => {
        const { state } = this.ledger;
        const here = this.receivers(to, context);
        // One who has left the team has no mail any more: the message comes back, as any other does that nobody can read.
        const receivers = here.length === 0 && to !== context.agentId && wasMade(state, to) ? [to] : here;
        if (receivers.length === 0) {
          throw new ToolRefusal(
            `Nobody of this run is called "${to}". Running now: ${this.receivers('all', context).join(', ') || 'nobody else'}.`,
          );
        }
        const run = state.runs[context.runId];
        const refusal =
          run &&
          refuseMessages(
            limitsOf(run.options),
            { byAgent: run.tasks[context.taskId]?.spent.messages ?? 0, inRun: run.counters.message },
            receivers.length,
          );
        if (refusal !== undefined) {
          throw new ToolRefusal(refusal);
        }
        await this.communication.post({
          id: callKey(context),
          runId: context.runId,
          sender: { kind: 'agent', id: context.agentId },
          receiverIds: receivers,
          type,
          content: { kind: 'text', text: content },
          priority,
          ...threadOf(run, context.agentId, receivers),
          task: { taskId: context.taskId, attempt: context.attempt },
        });
        return { text: sentWords(state, receivers) };
      },
    });
  }

  private askHuman(): Tool {
    return defineTool({
      name: 'ask_human',
      description: 'Asks the developer one question and waits for the answer. Give options where you can.',
      input: questionSchema,
      effect: 'team',
      afterCrash: 'repeat',
      run: async ({ question, options = [] }, context, signal) => {
        const answer = await this.inbox.ask(requestOf(context, { kind: 'question', question, options }), signal);
        return { text: describeAnswer(answer) };
      },
    });
  }

  private reportProgress(): Tool {
    return defineTool({
      name: 'report_progress',
      description: 'Tells the developer how far you are, in one short sentence.',
      input: progressSchema,
      effect: 'team',
      afterCrash: 'repeat',
      run: ({ percent, note }, context) =>
        Promise.resolve({
          text: 'Noted.',
          events: [
            {
              type: 'task-progressed',
              ...stampByAgent(context),
              note,
              ...(percent === undefined ? {} : { percent }),
            },
          ],
        }),
    });
  }

  /** What planning is proven on: it has no tree of its own. */
  private integrationOf(runId: string): { commit: string; tree: string } {
    const { commit = '', tree = '' } = this.ledger.state.runs[runId]?.integration ?? {};
    return { commit, tree };
  }

  /** Agents that hold a task of this run, the sender left out. */
  private receivers(to: string, context: ToolContext): string[] {
    const tasks = Object.values(this.ledger.state.runs[context.runId]?.tasks ?? {});
    const role = agentTypeSchema.safeParse(to).data;
    const ids = tasks
      .filter((task) => to === 'all' || task.agentId === to || task.role === role)
      .flatMap(({ agentId }) => (agentId === undefined || agentId === context.agentId ? [] : [agentId]))
      .filter((id) => this.ledger.state.standing.agents[id]);
    return [...new Set(ids)].sort();
  }
}

/** A message to whoever wrote to the sender last goes on with that thread. */
function threadOf(
  run: RunView | undefined,
  senderId: string,
  [receiverId, ...others]: readonly string[],
): { inReplyTo?: string; threadId?: string } {
  const taken = run && others.length === 0 ? run.mail.over.toReversed() : [];
  for (const id of taken) {
    const message = run?.messages[id];
    if (
      message &&
      message.sender.id === receiverId &&
      message.receiver.id === senderId &&
      message.type !== 'task_request'
    ) {
      return { inReplyTo: id, threadId: message.threadId ?? message.broadcastId ?? id };
    }
  }
  return {};
}

/** Says also who will read it late or never. */
function sentWords({ standing }: SquadView, receivers: readonly string[]): string {
  const gone = receivers.filter((id) => !standing.agents[id]);
  if (gone.length > 0) {
    return `${gone.join(', ')} is no longer in the team; your message comes back.`;
  }
  const idle = receivers.filter((id) => standing.agents[id]?.currentTaskId === undefined);
  const late =
    idle.length > 0 ? ` ${idle.join(', ')} has no task now and reads it with the next one, if there is one.` : '';
  return `Sent to ${receivers.join(', ')}.${late}`;
}

function describeAnswer(answer: RequestAnswer): string {
  switch (answer.kind) {
    case 'text':
      return `The developer answered: ${answer.text}`;
    case 'allow':
      return 'The developer answered: yes.';
    case 'deny':
      return `The developer does not want to answer${answer.reason ? `: ${answer.reason}` : '.'} Decide yourself and say how in your summary.`;
  }
}
