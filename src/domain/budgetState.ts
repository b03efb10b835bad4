/** What events do to the accounts of the living state: of a run, its roles and agents, and the day. */
import { holderOf, type Standing } from './agentState.ts';
import { emptyAccount, type BudgetAccount } from './budget.ts';
import { agentKey, dayOf, roleKey, withLimit, type Drawer } from './envelopes.ts';
import type { EventOf } from './events.ts';
import type { Run } from './run.ts';
import type { Task } from './task.ts';

/** Days whose accounts are kept. */
const REMEMBERED_DAYS = 14;

export function reserveCall(standing: Standing, run: Run, task: Task, event: EventOf<'model-call-started'>): void {
  const { callId, reservedTokens: tokens, reservedMicroUsd: microUsd } = event;
  const drawer = drawerOf(task, event.at);
  run.counters.call++;
  for (const account of accountsOf(standing, run, drawer)) {
    account.requests++;
    account.reservedTokens += tokens;
    account.reservedMicroUsd += microUsd ?? 0;
  }
  run.reservations[callId] = { taskId: task.id, tokens, ...(microUsd === undefined ? {} : { microUsd }), ...drawer };
}

/** What the call came to takes the place of what it might have come to, in the accounts it was reserved in. */
export function settleCall(
  standing: Standing,
  run: Run,
  task: Task,
  event: EventOf<'model-call-ended'> | EventOf<'model-call-failed'>,
): void {
  const reservation = run.reservations[event.callId];
  const { inputTokens, outputTokens, microUsd } = event.usage;
  const tokens = inputTokens + outputTokens;
  for (const account of accountsOf(standing, run, reservation ?? drawerOf(task, event.at))) {
    account.reservedTokens -= reservation?.tokens ?? 0;
    account.reservedMicroUsd -= reservation?.microUsd ?? 0;
    account.usedTokens += tokens;
    account.usedMicroUsd += microUsd ?? 0;
    account.unpricedTokens += microUsd === undefined ? tokens : 0;
  }
  delete run.reservations[event.callId];
  task.tokens += tokens;
  task.modelCalls++;
  task.spent.tokens += tokens;
  task.spent.modelCalls++;
}

/** Time counts for whoever holds a task and does not wait for a person; once for a role, however many of it are at work. */
export function clockWork(standing: Standing, run: Run, { workedMs, at }: EventOf<'work-clocked'>): void {
  const counted = new Set<BudgetAccount>([run.account, dayAccount(standing, dayOf(at))]);
  for (const task of Object.values(run.tasks)) {
    if (task.phase !== 'waiting_for_person' && task.phase !== 'split' && holderOf(standing, task)) {
      task.spent.workedMs += workedMs;
      for (const account of accountsOf(standing, run, drawerOf(task, at))) {
        counted.add(account);
      }
    }
  }
  for (const account of counted) {
    account.workedMs += workedMs;
  }
}

/** A tool is at work from now on, or from when the person has answered what it asked. The team's tools only wait for others. */
export function startToolClock(task: Task, at: string): void {
  if (task.openCall && task.openCall.effect !== 'team') {
    task.openCall.runsSince = at;
  }
}

export function stopToolClock(standing: Standing, run: Run, task: Task, at: string): void {
  const { runsSince } = task.openCall ?? {};
  if (!task.openCall || runsSince === undefined) {
    return;
  }
  delete task.openCall.runsSince;
  const tookMs = Math.max(0, Date.parse(at) - Date.parse(runsSince));
  for (const account of accountsOf(standing, run, drawerOf(task, at))) {
    account.toolTimeMs += tookMs;
  }
}

/** A tool that a process took with it works no more; how long it had worked nobody knows, and time without a process is no work. */
export function forgetToolClocks(runs: readonly Run[]): void {
  for (const task of runs.flatMap(({ tasks }) => Object.values(tasks))) {
    delete task.openCall?.runsSince;
  }
}

/** A person allowed more. What is warned of begins anew. */
export function raiseLimit(run: Run, request: Run['requests'][string]): void {
  const { subject, answer } = request;
  if (subject.kind !== 'raise' || answer?.kind !== 'allow') {
    return;
  }
  run.raised = withLimit(run.raised, subject.envelope, subject.resource, subject.to);
  run.warned = run.warned.filter((key) => key !== warningKey(subject));
}

export const warningKey = ({ envelope, resource }: { envelope: string; resource: string }): string =>
  `${envelope} ${resource}`;

export function drawerOf({ role, agentId }: Pick<Task, 'role' | 'agentId'>, at: string): Drawer {
  return { role, day: dayOf(at), ...(agentId === undefined ? {} : { agentId }) };
}

function accountsOf(standing: Standing, run: Run, { role, agentId, day }: Drawer): BudgetAccount[] {
  const own = [roleKey(role), ...(agentId === undefined ? [] : [agentKey(agentId)])];
  return [run.account, ...own.map((key) => (run.accounts[key] ??= emptyAccount())), dayAccount(standing, day)];
}

function dayAccount({ days }: Standing, day: string): BudgetAccount {
  const known = days[day];
  if (known) {
    return known;
  }
  const account = (days[day] = emptyAccount());
  for (const old of Object.keys(days).sort().slice(0, -REMEMBERED_DAYS)) {
    delete days[old];
  }
  // A day before all that are remembered was dropped again: nobody asks for it any more.
  return days[day] ?? account;
}
