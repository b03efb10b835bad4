/** The current run's tasks by urgency: what waits for a person, what failed, what moves, what is done. */
import { describeCost } from '../../domain/budget.ts';
import { describeCheck } from '../../domain/proof.ts';
import { byUrgency, markOf, plannedTasksOf, tasksOf, taskWords } from '../../domain/phaseWords.ts';
import { currentRun, type RunView, type SquadView, type TaskView } from '../../domain/squadState.ts';
import { checkIcon, markIcon } from './look.ts';
import type { TreeLook, TreeNode } from './squadTree.ts';

export function drawTasks(state: SquadView): TreeLook {
  const run = currentRun(state);
  if (!run) {
    return { nodes: [] };
  }
  const planned = plannedTasksOf(run);
  const tasks = byUrgency(run, tasksOf(run));
  const proven = planned.filter(({ phase }) => phase === 'proven').length;
  return {
    nodes: tasks.filter(({ parentTaskId }) => parentTaskId === undefined).map((task) => nodeOf(task, run)),
    ...(planned.length > 0
      ? { summary: [`${proven} of ${planned.length} proven`, describeCost(run.account)].filter(Boolean).join(' · ') }
      : {}),
  };
}

function nodeOf(task: TaskView, run: RunView): TreeNode {
  const state = taskWords(run, task);
  const who = task.agentId === undefined ? '' : `${task.agentId} · `;
  const note = task.failure ?? task.parked?.reason ?? task.progress?.note;
  const dependsOn = task.dependsOn.map((id) => run.tasks[id]?.key ?? id).join(', ');
  const checks = task.acceptance.map((check, index): TreeNode => {
    const result = task.checks.findLast((found) => found.index === index);
    return {
      id: `${task.id}.check.${index}`,
      label: describeCheck(check),
      description: result ? `${result.summary} · ${(result.durationMs / 1000).toFixed(1)} s` : 'not run yet',
      tooltip: result?.output ? `${result.summary}\n\n${result.output.slice(-2000)}` : describeCheck(check),
      icon: checkIcon(result?.passed),
    };
  });
  // What a task handed on stands under it, also what an earlier try of it did.
  const handedOn = Object.values(run.tasks).filter(({ parentTaskId }) => parentTaskId === task.id);
  const children = [...byUrgency(run, handedOn).map((child) => nodeOf(child, run)), ...checks];
  return {
    id: task.id,
    label: task.title,
    description: `${who}${state}`,
    tooltip: [task.title, state, note, dependsOn && `after ${dependsOn}`].filter(Boolean).join('\n'),
    icon: markIcon(markOf(run, task)),
    context: `task-${task.phase}`,
    subject: { runId: run.id },
    spoken: `${task.title}, ${state}${dependsOn ? `, after ${dependsOn}` : ''}`,
    ...(children.length > 0 ? { children, folded: task.phase === 'proven' || task.phase === 'waiting' } : {}),
  };
}
