/** Who is in the team and what each does now. */
import { describeCost } from '../../domain/budget.ts';
import { agentKey } from '../../domain/envelopes.ts';
import { agentNotes, describeHealth, type HealthStatus } from '../../domain/health.ts';
import { currentRun, type AgentView, type RunView, type SquadView } from '../../domain/squadState.ts';
import { markOf, taskWords } from '../../domain/phaseWords.ts';
import { agentIcon } from './look.ts';
import type { TreeLook, TreeNode } from './squadTree.ts';

/** `health` as far as it is known in this process. */
export function drawAgents(state: SquadView, health: readonly HealthStatus[], nowMs: number): TreeLook {
  const agents = Object.values(state.standing.agents);
  const run = currentRun(state);
  const busy = agents.filter(({ currentTaskId }) => currentTaskId !== undefined).length;
  const kept = Object.entries(state.standing.poolSizes).map(([role, count]) => `${role} kept at ${count}`);
  return {
    nodes: agents.map((agent) => {
      const known = health.find(({ agentId }) => agentId === agent.id);
      return nodeOf(agent, run, known && describeHealth(known, nowMs));
    }),
    ...(agents.length > 0 ? { summary: [`${busy} busy of ${agents.length}`, ...kept].join(' · ') } : {}),
  };
}

function nodeOf(agent: AgentView, run: RunView | undefined, alive: string | undefined): TreeNode {
  const task = agent.currentTaskId === undefined ? undefined : run?.tasks[agent.currentTaskId];
  const account = run?.accounts[agentKey(agent.id)];
  const notes = agentNotes(agent);
  const work = task && run ? `${task.title} · ${taskWords(run, task)}` : agent.status === 'error' ? '' : 'idle';
  const doing = [work, notes].filter(Boolean).join(' · ');
  const records = Object.entries(agent.performance).map(
    ([type, { proven, failed }]) => `${type}: ${proven} proven, ${failed} failed`,
  );
  return {
    id: agent.id,
    label: agent.name,
    description: doing,
    tooltip: [
      `${agent.name}, ${agent.type} agent: ${doing}`,
      ...(alive === undefined ? [] : [alive]),
      agent.capabilities.join(', '),
      ...records,
      ...(account && account.usedTokens > 0
        ? [`In this run ${account.usedTokens.toLocaleString('en')} tokens, ${describeCost(account)}`]
        : []),
    ].join('\n'),
    icon: agentIcon(agent.type, task && run ? markOf(run, task) : undefined),
    context: task ? 'agent-busy' : 'agent-idle',
    subject: { agentId: agent.id },
    spoken: `${agent.name}, ${agent.type} agent, ${doing}`,
  };
}
