/** Who is in the team and at what, in the order they came. */
import type { AgentView, RunView, SquadView } from '../../src/domain/squadState.ts';
import { agentNotes } from '../../src/domain/health.ts';
import { Icon } from '../ui/Icon.tsx';
import { markOf, taskWords } from '../../src/domain/phaseWords.ts';
import { ROLE_ICONS } from '../words.ts';

export function Team({ run, state }: { readonly run: RunView; readonly state: SquadView }) {
  const agents = Object.values(state.standing.agents);
  // As the registry has it: whoever holds a task, also while that waits.
  const busy = agents.filter(({ currentTaskId }) => currentTaskId !== undefined).length;
  return (
    <section class="team" aria-labelledby="team-title">
      <div class="section-head">
        <h2 id="team-title">Team</h2>
        {agents.length > 0 && (
          <span class="muted">
            {busy} of {agents.length} busy
          </span>
        )}
      </div>
      {agents.length === 0 && <p class="empty">Agents come when there is a task for them.</p>}
      <ul>
        {agents.map((agent) => {
          const { words, look } = doing(run, agent);
          return (
            <li key={agent.id}>
              <Icon name={ROLE_ICONS[agent.type]} />
              <span class="title" title={agent.name}>
                {agent.name}
              </span>
              <span class={`words ${look}`} title={words}>
                {words}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface Doing {
  readonly words: string;
  readonly look: 'muted' | 'you' | 'bad';
}

function doing(run: RunView, agent: AgentView): Doing {
  if (agent.status === 'error') {
    return { words: agentNotes(agent), look: 'bad' };
  }
  const notes = agentNotes(agent);
  const again = notes === '' ? '' : ` · ${notes}`;
  if (agent.currentTaskId === undefined) {
    return { words: `idle${again}`, look: 'muted' };
  }
  const task = run.tasks[agent.currentTaskId];
  if (!task) {
    return { words: 'at work in another run', look: 'muted' };
  }
  const mark = markOf(run, task);
  return {
    words: `${taskWords(run, task)} · ${task.title}${again}`,
    look: mark === 'you' ? 'you' : mark === 'failed' ? 'bad' : 'muted',
  };
}
