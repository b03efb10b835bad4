/** State 1 to 2: money and tool time in accounts, accounts of roles, agents and days, what was warned of, rules. */
import * as z from 'zod';

const reservationSchema = z.looseObject({ taskId: z.string() });
const taskSchema = z.looseObject({ role: z.string(), agentId: z.string().optional() });
const runSchema = z.looseObject({
  account: z.looseObject({ usedTokens: z.number() }),
  reservations: z.record(z.string(), reservationSchema),
  tasks: z.record(z.string(), taskSchema),
  startedAt: z.string(),
  phase: z.string(),
  reason: z.string().optional(),
});
const stateSchema = z.looseObject({ runs: z.record(z.string(), runSchema), standing: z.looseObject({}) });

export const accountsOfRolesAndDays = (old: unknown): unknown => {
  const state = stateSchema.parse(old);
  for (const run of Object.values(state.runs)) {
    Object.assign(run, {
      account: {
        usedMicroUsd: 0,
        reservedMicroUsd: 0,
        // What was paid for it nobody wrote down.
        unpricedTokens: run.account.usedTokens,
        toolTimeMs: 0,
        ...run.account,
      },
      accounts: {},
      raised: {},
      warned: [],
      rules: [],
      ...(run.phase !== 'ended' && run.reason?.startsWith('The budget is reached') ? { budgetReached: true } : {}),
    });
    for (const reservation of Object.values(run.reservations)) {
      const { role = 'planning', agentId } = run.tasks[reservation.taskId] ?? {};
      Object.assign(reservation, {
        role,
        day: run.startedAt.slice(0, 10),
        ...(agentId === undefined ? {} : { agentId }),
      });
    }
  }
  Object.assign(state.standing, { days: {}, rules: {} });
  return state;
};
