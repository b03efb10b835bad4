/** The plan that the planning agent submits and the developer accepts, as `submit_plan` takes it, and the rules it must keep. */
import * as z from 'zod';
import { whyCostlyGlob } from './globs.ts';
import { acceptanceCheckSchema } from './proof.ts';
import { taskTypeSchema, type TaskType } from './task.ts';

/** Roles that a plan may give a task to. The planning agent's own tasks are made by the runtime alone. */
export const planRoleSchema = z.enum(['coding', 'testing']);

/** The planning task's key; a plan may not use it. */
export const PLANNING_TASK_KEY = 'plan';

const globSchema = z.string().min(1).max(200);

export const planTaskSchema = z.strictObject({
  key: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, 'a key is 1 to 40 letters, digits, "-" or "_"')
    .describe('Short name of the task, unique in the plan'),
  title: z.string().min(1).max(120),
  description: z.string().min(1).max(20_000),
  role: planRoleSchema,
  type: taskTypeSchema,
  input: z.unknown().optional().describe("Input of the role's method, if it needs more than the description"),
  capabilities: z.array(z.string().min(1).max(60)).max(20).default([]),
  dependsOn: z.array(z.string()).max(50).default([]).describe('Keys of the tasks that must be proven first'),
  reads: z.array(globSchema).max(100).default([]),
  writes: z.array(globSchema).max(100).default([]).describe('Globs of the files this task may change'),
  priority: z.number().int().min(1).max(5).default(3).describe('5 goes first'),
  estimateMinutes: z
    .number()
    .positive()
    .max(24 * 60)
    .optional(),
  acceptance: z
    .array(acceptanceCheckSchema)
    .max(20)
    .describe('What the host runs on the exact tree before the task counts as done'),
});
export type PlanTask = z.infer<typeof planTaskSchema>;

export const projectPlanSchema = z.strictObject({
  summary: z.string().min(1).max(2000),
  strategy: z.enum(['single', 'parallel']),
  why: z.string().min(1).max(1000).describe('One sentence: why the work is split, or why it is not'),
  tasks: z.array(planTaskSchema).min(1).max(60),
});
export type ProjectPlan = z.infer<typeof projectPlanSchema>;

/** Method names of each role in kebab case: which task types a role can do. */
export const TASK_TYPES_BY_ROLE = {
  coding: ['generate-code', 'review-code'],
  testing: ['generate-tests'],
} as const satisfies Record<z.infer<typeof planRoleSchema>, readonly TaskType[]>;

/**
 * Checks what a schema cannot: unique keys, known dependencies, no cycle, a type that the role can do.
 * Returns sentences for the model, each naming what is wrong and where; none means the plan holds.
 */
export function planProblems(plan: ProjectPlan): string[] {
  const problems: string[] = [];
  const keys = new Set<string>();
  for (const task of plan.tasks) {
    if (task.key === PLANNING_TASK_KEY) {
      problems.push(`The key "${PLANNING_TASK_KEY}" is taken by planning itself; choose another.`);
    }
    if (keys.has(task.key)) {
      problems.push(`The key "${task.key}" is used twice; keys must be unique.`);
    }
    keys.add(task.key);
    const types: readonly TaskType[] = TASK_TYPES_BY_ROLE[task.role];
    if (!types.includes(task.type)) {
      problems.push(
        `Task "${task.key}": the role ${task.role} has no type "${task.type}"; it has ${types.join(', ')}.`,
      );
    }
  }
  for (const { key, reads, writes, acceptance } of plan.tasks) {
    const unchanged = acceptance.flatMap((check) => (check.kind === 'files' ? (check.unchanged ?? []) : []));
    const costly = [...reads, ...writes, ...unchanged].map(whyCostlyGlob).find(Boolean);
    if (costly !== undefined) {
      problems.push(`Task "${key}": ${costly}`);
    }
  }
  for (const task of plan.tasks) {
    for (const dependency of task.dependsOn) {
      if (!keys.has(dependency)) {
        problems.push(`Task "${task.key}" depends on "${dependency}", which is no task of this plan.`);
      }
    }
  }
  const cycle = findCycle(plan.tasks);
  if (cycle) {
    problems.push(`The dependencies form a cycle: ${cycle.join(' → ')}. Remove one of them.`);
  }
  return problems;
}

/** The first dependency cycle as keys from a task back to itself, or undefined where there is none. */
export function findCycle(tasks: readonly { key: string; dependsOn: readonly string[] }[]): string[] | undefined {
  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (key: string): string[] | undefined => {
    if (finished.has(key)) {
      return undefined;
    }
    const start = path.indexOf(key);
    if (start >= 0) {
      return [...path.slice(start), key];
    }
    path.push(key);
    for (const dependency of byKey.get(key)?.dependsOn ?? []) {
      const cycle = visit(dependency);
      if (cycle) {
        return cycle;
      }
    }
    path.pop();
    finished.add(key);
    return undefined;
  };
  for (const task of tasks) {
    const cycle = visit(task.key);
    if (cycle) {
      return cycle;
    }
  }
  return undefined;
}
