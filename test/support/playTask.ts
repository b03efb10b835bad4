/** Lets a model work on one task with the tiny tools until it is done: the smallest loop in which a model can be tried. */
import type { ConversationEntry } from '../../src/domain/conversation.ts';
import { messageOf } from '../../src/domain/errors.ts';
import {
  PLANNING_TASK_KEY,
  planProblems,
  projectPlanSchema,
  type PlanTask,
  type ProjectPlan,
} from '../../src/domain/plan.ts';
import type { LanguageModel } from '../../src/ports.ts';
import { declareTools, type TinyWorktree } from './tinyTools.ts';

const MOST_ANSWERS = 40;

/** What the model is told when it slips. */
export interface Reactions {
  onToolError(error: unknown): string;
  onProse(ending: string): string;
}

/** Nothing may go wrong. */
export const STRICT: Reactions = {
  onToolError: (error) => {
    throw error;
  },
  onProse: () => {
    throw new Error('The model answered without a tool call');
  },
};

/** Says what to do instead. */
export const HELPFUL: Reactions = {
  onToolError: messageOf,
  onProse: (ending) => `Nothing happens by text alone. When you are done, call ${ending}.`,
};

/** Plays planning; returns the plan that was accepted. */
export async function playPlanning(
  model: LanguageModel,
  worktree: TinyWorktree,
  reactions: Reactions = STRICT,
): Promise<ProjectPlan> {
  const plans: ProjectPlan[] = [];
  await play(model, PLANNING_TASK_KEY, worktree, reactions, (args) => {
    const plan = projectPlanSchema.parse(args);
    const problems = planProblems(plan);
    plans.push(plan);
    return Promise.resolve(problems);
  });
  return plans.at(-1)!;
}

/** Plays a task until its acceptance holds; returns what each refused claim was told. */
export async function playTask(
  model: LanguageModel,
  task: PlanTask,
  worktree: TinyWorktree,
  reactions: Reactions = STRICT,
): Promise<string[][]> {
  const refusals: string[][] = [];
  await play(model, task.key, worktree, reactions, async () => {
    const failed = await worktree.verify(task);
    refusals.push(...(failed.length > 0 ? [failed] : []));
    return failed;
  });
  return refusals;
}

/** `end` gets the arguments of the call that ends the task and says what speaks against it. */
async function play(
  model: LanguageModel,
  taskKey: string,
  worktree: TinyWorktree,
  reactions: Reactions,
  end: (args: unknown) => Promise<string[]>,
): Promise<void> {
  const isPlanning = taskKey === PLANNING_TASK_KEY;
  const ending = isPlanning ? 'submit_plan' : 'finish_task';
  const tools = declareTools(isPlanning ? 'planning' : 'working');
  const purpose = {
    role: isPlanning ? 'planning' : 'coding',
    agentId: 'a1',
    taskId: `r1.${taskKey}`,
    taskKey,
  } as const;
  const conversation: ConversationEntry[] = [{ role: 'user', text: `Please do ${taskKey}` }];
  for (let answers = 0; answers < MOST_ANSWERS; answers++) {
    const request = { purpose, conversation: [...conversation], tools, maxOutputTokens: 8000 };
    const { answer } = await model.ask(request, () => undefined, new AbortController().signal);
    conversation.push({ role: 'assistant', text: answer.text, toolCalls: answer.toolCalls });
    for (const call of answer.toolCalls) {
      try {
        let text = await worktree.call(call);
        if (call.name === ending) {
          const against = await end(JSON.parse(call.argumentsText));
          if (against.length === 0) {
            return;
          }
          text = against.join('\n');
        }
        conversation.push({ role: 'tool', callId: call.id, text });
      } catch (error) {
        conversation.push({ role: 'tool', callId: call.id, text: reactions.onToolError(error) });
      }
    }
    if (answer.toolCalls.length === 0) {
      conversation.push({ role: 'user', text: reactions.onProse(ending) });
    }
  }
  throw new Error(`${taskKey} is not done after ${MOST_ANSWERS} answers`);
}
