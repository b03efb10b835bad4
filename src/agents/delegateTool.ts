/**
 * The tool by which an agent hands a part of its task on. The part goes through the same doors as a task of the plan; what
 * the person has not allowed with the plan, commands and files beyond the agent's own, asks anew.
 */
import * as z from 'zod';
import type { RequestSubject } from '../domain/approval.ts';
import { childrenOf, depthOf } from '../domain/delegation.ts';
import { ToolRefusal } from '../domain/errors.ts';
import { limitsOf, refuseDelegation } from '../domain/limits.ts';
import { planProblems, planRoleSchema, planTaskSchema, TASK_TYPES_BY_ROLE, type PlanTask } from '../domain/plan.ts';
import { taskAt, type TaskView } from '../domain/squadState.ts';
import type { Inbox } from '../inbox/inbox.ts';
import type { Ledger } from '../ports.ts';
import type { CheckRights } from '../services/checkRights.ts';
import type { DelegatedTasks } from '../services/delegatedTasks.ts';
import { isWithin } from '../tools/declaredWrites.ts';
import { defineTool, type Tool, type ToolContext } from '../tools/tool.ts';
import { requestOf } from './callRequest.ts';

/** Tasks that one try may hand on, and tasks of a run in all. */
const MOST_CHILDREN = 10;
const MOST_TASKS = 200;

const inputSchema = z.strictObject({
  ...planTaskSchema.pick({ title: true, description: true, writes: true }).shape,
  role: planRoleSchema,
  dependsOn: z.array(z.string()).max(20).default([]).describe('Keys of tasks that you handed on before this one'),
  acceptance: planTaskSchema.shape.acceptance.default([]),
});

export function delegateTool(services: {
  ledger: Ledger;
  inbox: Inbox;
  delegated: DelegatedTasks;
  rights: Pick<CheckRights, 'ofPart'>;
}): Tool {
  const { ledger, inbox, delegated, rights } = services;
  return defineTool({
    name: 'delegate_task',
    description:
      'Hands a part of your task to another agent, who works on it in a copy of its own, beginning from what is merged by then (not from your unfinished changes). Answers at once; how it ended comes as mail, and finish_task waits for it. Use it for parts that stand alone.',
    input: inputSchema,
    effect: 'team',
    afterCrash: 'repeat',
    run: async (input, context, signal) => {
      const made = delegated.madeBy(context);
      if (made) {
        return { text: madeWords(made) };
      }
      const wish = planTask(input);
      refuseWhatCannotBe(ledger, wish, context);
      const { task: parent } = taskAt(ledger.state, context);
      const why = `${parent.title}: its agent hands on “${wish.title}” to a ${wish.role} agent`;
      const { refused } = await rights.ofPart(context, wish.acceptance, `${why}, with this check.`, signal);
      const [words] = refused.values();
      if (words !== undefined) {
        throw new ToolRefusal(`${words} Hand it on without, or do it yourself.`);
      }
      for (const [index, subject] of writesOf(parent, wish, why).entries()) {
        const request = requestOf(context, subject);
        const answer = await inbox.ask({ ...request, id: `${request.id}.${index + 1}` }, signal);
        if (answer.kind !== 'allow') {
          const reason = answer.kind === 'deny' ? answer.reason : answer.text;
          throw new ToolRefusal(
            `The developer did not allow that the part changes ${subject.path}${reason ? ` (${reason})` : ''}. Hand it on without, or do it yourself.`,
          );
        }
      }
      signal.throwIfAborted();
      // Others may have handed on meanwhile.
      refuseWhatCannotBe(ledger, wish, context);
      return { text: madeWords(delegated.create(context, { ...wish, priority: parent.priority })) };
    },
  });
}

function planTask({ role, ...given }: z.infer<typeof inputSchema>): PlanTask {
  const [type] = TASK_TYPES_BY_ROLE[role];
  // The key is only for the plan's rules; the task gets one of its own.
  return planTaskSchema.parse({ ...given, role, type, key: 'new' });
}

function refuseWhatCannotBe(ledger: Ledger, wish: PlanTask, context: ToolContext): void {
  const { run, task: parent } = taskAt(ledger.state, context);
  const children = childrenOf(run.tasks, parent);
  const tooDeep = refuseDelegation(limitsOf(run.options), depthOf(run.tasks, parent));
  if (tooDeep !== undefined) {
    throw new ToolRefusal(tooDeep);
  }
  if (children.length >= MOST_CHILDREN || Object.keys(run.tasks).length >= MOST_TASKS) {
    throw new ToolRefusal(
      `You have handed on ${children.length} tasks and the run has ${Object.keys(run.tasks).length}; the limits are ${MOST_CHILDREN} and ${MOST_TASKS}. Do the rest yourself.`,
    );
  }
  const siblings = children.map(({ key }): PlanTask => ({ ...wish, key, dependsOn: [] }));
  const problems = planProblems({ summary: '', strategy: 'parallel', why: '', tasks: [...siblings, wish] });
  if (problems.length > 0) {
    throw new ToolRefusal(
      `It cannot be handed on like this:\n- ${problems.join('\n- ')}\nYou have handed on so far: ${children.map(({ key }) => key).join(', ') || 'nothing'}.`,
    );
  }
}

/** Files that the parent itself did not declare. */
function writesOf(parent: TaskView, wish: PlanTask, why: string): (RequestSubject & { kind: 'write' })[] {
  return wish.writes
    .filter((glob) => !isWithin(glob, parent.writes))
    .map((path) => ({ kind: 'write', path, why: `${why}, who is to change these files too.` }));
}

function madeWords({ id, key }: TaskView): string {
  return `Handed on as ${key} (${id}). How it ends comes as mail; go on meanwhile, or call finish_task to wait for it.`;
}
