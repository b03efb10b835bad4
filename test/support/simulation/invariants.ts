/** What must hold in every run, whatever happened to it. */
import assert from 'node:assert/strict';
import { allowedChanges } from '../../../src/domain/approval.ts';
import { limitOf } from '../../../src/domain/budget.ts';
import { drawerOf } from '../../../src/domain/budgetState.ts';
import { envelopesOf, type Drawer } from '../../../src/domain/envelopes.ts';
import type { SquadEvent } from '../../../src/domain/events.ts';
import { covers } from '../../../src/domain/grants.ts';
import type { RunView, SquadView } from '../../../src/domain/squadState.ts';
import { isHeld, isOver } from '../../../src/domain/task.ts';
import type { Simulated } from './simulation.ts';

/** After each single event. */
export function checkBoundary(state: SquadView, event: SquadEvent): void {
  for (const run of Object.values(state.runs)) {
    if (event.type === 'request-answered' && event.grantedBy !== undefined && run.id === event.runId) {
      checkGrant(run, event.requestId, event.grantedBy);
    }
    for (const task of Object.values(run.tasks)) {
      checkBudgets(state, run, drawerOf(task, event.at), event);
      if (isHeld(task.phase)) {
        const owner = state.standing.agents[task.agentId ?? ''];
        assert.equal(owner?.currentTaskId, task.id, `${task.id} is at work without an owner after ${event.type}`);
      }
    }
  }
}

/** No model here says that it used more than was reserved, so nothing is passed. */
function checkBudgets({ standing }: SquadView, run: RunView, drawer: Drawer, { type }: SquadEvent): void {
  for (const { key, limits, account } of envelopesOf(run, standing.days, drawer)) {
    const [tokens = Infinity, usd = Infinity] = [limitOf(limits, 'tokens'), limitOf(limits, 'usd')];
    const { usedTokens, reservedTokens, usedMicroUsd, reservedMicroUsd, requests } = account;
    assert.ok(usedTokens + reservedTokens <= tokens, `the tokens of ${key} are passed at ${type}`);
    assert.ok(usedMicroUsd + reservedMicroUsd <= usd, `the money of ${key} is passed at ${type}`);
    assert.ok(requests <= (limits.requests ?? Infinity), `the requests of ${key} are passed at ${type}`);
  }
}

/** Nothing is answered along with a request unless it asks for the same, or for what a person granted with it. */
function checkGrant(run: RunView, requestId: string, grantedBy: string): void {
  const [asked, given] = [
    run.requests[requestId],
    run.requests[grantedBy] ?? run.rules.find(({ id }) => id === grantedBy),
  ];
  assert.ok(asked && given, `${requestId} was answered by ${grantedBy}, which is not there`);
  const answer = 'answer' in given ? given.answer : undefined;
  const grant = answer?.kind === 'allow' ? answer.grant : undefined;
  const isSame = given.effect !== undefined && given.effect === asked.effect;
  assert.ok(isSame || (grant && covers(given, grant, asked)), `${requestId} is not what was granted with ${grantedBy}`);
  assert.ok(
    asked.door !== 'policy' || !('isProtected' in asked.subject && asked.subject.isProtected),
    `${requestId} is protected and was granted ahead`,
  );
}

/** When the run has ended. `performed` counts how often a tool that must not be repeated ran, by its key. */
export function checkEnd({ run, events, disk }: Simulated, performed: ReadonlyMap<string, number>): void {
  const ofRun = events.filter(({ runId }) => runId === run.id);
  once('a tool call ended', ofRun, (event) =>
    event.type === 'tool-call-ended' ? `${event.taskId ?? ''}.${event.attempt ?? 0}.${event.step}` : undefined,
  );
  once('a message was sent', ofRun, (event) => (event.type === 'message-sent' ? event.message.id : undefined));
  once('a message was taken in', ofRun, (event) =>
    event.type === 'message-acknowledged'
      ? event.messageId
      : event.type === 'conversation-noted'
        ? event.messageId
        : undefined,
  );
  once('a request was opened', ofRun, (event) => (event.type === 'request-opened' ? event.request.id : undefined));
  once('a request was answered', ofRun, (event) => (event.type === 'request-answered' ? event.requestId : undefined));
  once('a task was proven', ofRun, (event) => (event.type === 'task-proven' ? event.taskId : undefined));
  once('the run ended', ofRun, (event) => (event.type === 'run-ended' ? event.runId : undefined));
  for (const [key, times] of performed) {
    assert.equal(times, 1, `the effect ${key} happened ${times} times`);
  }
  assert.deepEqual(Object.keys(run.reservations), [], 'something stays reserved');
  for (const account of [run.account, ...Object.values(run.accounts)]) {
    assert.deepEqual([account.reservedTokens, account.reservedMicroUsd], [0, 0]);
  }
  assert.deepEqual(Object.keys(disk.worktrees), [], 'a worktree is left');
  for (const task of Object.values(run.tasks)) {
    assert.ok(isOver(task.phase), `${task.id} is ${task.phase} though the run has ended`);
  }
  assert.ok(
    Object.values(run.requests).every(({ answer }) => answer),
    'a request waits though the run has ended',
  );
  checkParents(run, events);
  checkIntegration(run, disk);
}

/** Whoever asked for a task hears what became of it, once. */
function checkParents(run: Simulated['run'], events: readonly SquadEvent[]): void {
  const started = new Set(events.flatMap((event) => (event.type === 'task-started' ? [event.taskId ?? ''] : [])));
  for (const task of Object.values(run.tasks)) {
    // A run that breaks ends with what it has, and there is nobody left to be told.
    const endedWithRun = task.completedAt === run.endedAt && run.status !== 'succeeded';
    if ((task.phase !== 'proven' && task.phase !== 'failed') || !started.has(task.id) || endedWithRun) {
      continue;
    }
    const told = events.filter(
      (event) =>
        event.type === 'message-sent' &&
        event.message.content.kind === 'task-response' &&
        event.message.content.taskId === task.id,
    );
    assert.equal(told.length, 1, `what became of ${task.id} was told ${told.length} times`);
  }
}

/** The branch holds each proven change once and nothing else. */
function checkIntegration(run: Simulated['run'], disk: Simulated['disk']): void {
  const merged: string[] = [];
  let commit = run.integration?.commit ?? '';
  for (let at = disk.commits[commit]; at && at.parent !== null; at = disk.commits[commit]) {
    merged.push(/DevSquad-Task: (\S+)/.exec(at.message)?.[1] ?? 'unknown');
    commit = at.parent;
  }
  assert.equal(new Set(merged).size, merged.length, `merged twice: ${merged.join(', ')}`);
  for (const taskId of merged) {
    assert.equal(run.tasks[taskId]?.phase, 'proven', `${taskId} was merged but is ${run.tasks[taskId]?.phase ?? ''}`);
  }
  const tree = disk.trees[run.integration?.tree ?? ''] ?? {};
  const held = tree['.editorconfig'];
  const allowed = Object.keys(run.tasks).flatMap((id) => allowedChanges(run.requests, id).get('.editorconfig') ?? []);
  assert.ok(
    held === undefined || allowed.some(({ texts }) => texts?.after === held),
    'a protected file is as nobody allowed it',
  );
  for (const task of Object.values(run.tasks)) {
    if (task.phase === 'proven' && task.key !== 'plan' && merged.includes(task.id)) {
      assert.ok(tree[`src/${task.key}.txt`]?.includes('right'), `the result of ${task.id} is not in the final tree`);
    }
  }
}

function once(what: string, events: readonly SquadEvent[], keyOf: (event: SquadEvent) => string | undefined): void {
  const seen = new Set<string>();
  for (const event of events) {
    const key = keyOf(event);
    assert.ok(key === undefined || !seen.has(key), `${what} twice: ${key ?? ''}`);
    if (key !== undefined) {
      seen.add(key);
    }
  }
}
