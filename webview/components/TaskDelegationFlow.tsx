/** Which task stands where and who has it: a list by urgency. */
import type { RunView, SquadView, TaskView } from '../../src/domain/squadState.ts';
import { byUrgency, hasPlannedTasks, markOf, taskWords, tasksOf } from '../../src/domain/phaseWords.ts';
import { nameOf } from '../words.ts';
import { ProofMarks } from './ProofMarks.tsx';
import { StateMark } from './StateMark.tsx';

export function TaskDelegationFlow({ run, state }: { readonly run: RunView; readonly state: SquadView }) {
  const tasks = byUrgency(run, tasksOf(run));
  return (
    <section class="tasks" aria-labelledby="tasks-title">
      <div class="section-head">
        <h2 id="tasks-title">Tasks</h2>
        <span class="muted">
          {hasPlannedTasks(run)
            ? `${tasks.filter(({ phase }) => phase === 'proven').length} of ${tasks.length} proven`
            : 'Tasks appear when a plan exists.'}
        </span>
      </div>
      <ul>
        {tasks.map((task) => (
          <Row key={task.id} run={run} task={task} state={state} />
        ))}
      </ul>
    </section>
  );
}

function Row({ run, task, state }: { readonly run: RunView; readonly task: TaskView; readonly state: SquadView }) {
  const mark = markOf(run, task);
  const note = mark === 'failed' ? task.failure : mark === 'working' ? task.progress?.note : undefined;
  return (
    <li class={`task ${mark}`}>
      <StateMark mark={mark} />
      <span class="title" title={task.title}>
        {task.title}
      </span>
      <span class="words" title={note}>
        {taskWords(run, task)}
        {note !== undefined && <span class="muted"> · {note}</span>}
      </span>
      <span class="owner muted">
        {task.agentId === undefined ? '' : nameOf(state, { kind: 'agent', id: task.agentId })}
      </span>
      <ProofMarks task={task} />
    </li>
  );
}
