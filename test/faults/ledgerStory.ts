/** Events of chance that fit the living state: enough of each kind to move what the ledger's files depend on. */
import { RUNTIME, type EventDraft } from '../../src/domain/events.ts';
import type { RunView, SquadView } from '../../src/domain/squadState.ts';
import { anyAgent, anyMessage, anyOptions, anyTask } from '../support/builders.ts';
import type { SeededRandom } from '../support/seededRandom.ts';

const MOST_RUNS = 4;

/** One event that may come next. Texts are short, long, and longer than a record may be. */
export function randomDraft(state: SquadView, random: SeededRandom): EventDraft {
  const runs = Object.values(state.runs);
  const run = random.pick(runs);
  if (!run || (runs.length < MOST_RUNS && random.chance(0.1))) {
    const runId = `run-${state.sequence}`;
    return { type: 'run-started', runId, actor: RUNTIME, objective: textOf(random), options: anyOptions() };
  }
  if (random.chance(0.05)) {
    return { type: 'agent-created', actor: RUNTIME, agent: anyAgent({ id: `agent-${state.sequence}` }) };
  }
  return run.phase === 'ended' ? afterTheEnd(run) : inRun(run, state.sequence, random);
}

function inRun(run: RunView, sequence: number, random: SeededRandom): EventDraft {
  const runId = run.id;
  const task = random.pick(Object.values(run.tasks));
  if (!task || random.chance(0.1)) {
    const taskId = `${runId}.t${sequence}`;
    return { type: 'task-created', runId, taskId, actor: RUNTIME, task: anyTask({ id: taskId, runId, key: taskId }) };
  }
  const ofTask = { runId, taskId: task.id, attempt: task.attempt, actor: RUNTIME };
  switch (random.between(0, 5)) {
    case 0:
      return {
        type: 'run-ended',
        runId,
        actor: RUNTIME,
        status: 'succeeded',
        usage: { tokens: 1, requests: 1, workedMs: 1 },
      };
    case 1:
    case 2: {
      const message = anyMessage({
        id: `${runId}.m${sequence}`,
        runId,
        content: { kind: 'text', text: textOf(random) },
      });
      return { type: 'message-sent', runId, actor: RUNTIME, message };
    }
    case 3:
      return { type: 'conversation-opened', ...ofTask, instructions: 'You code.', brief: textOf(random) };
    default:
      return {
        type: 'tool-call-ended',
        ...ofTask,
        callId: `c${sequence}`,
        step: task.steps + 1,
        tool: 'read_file',
        outcome: 'ok',
        result: textOf(random),
      };
  }
}

function afterTheEnd(run: RunView): EventDraft {
  return run.settled
    ? { type: 'run-archived', runId: run.id, actor: RUNTIME, reason: 'old' }
    : { type: 'run-settled', runId: run.id, actor: RUNTIME };
}

function textOf(random: SeededRandom): string {
  return random.pick(['x', 'ü✓', 'y'])!.repeat(random.pick([1, 30, 200, 900])!);
}
