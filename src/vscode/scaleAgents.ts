/** How many agents of a role there are: a person chooses the role and a number, or leaves it to the queue. */
import * as vscode from 'vscode';
import type { AgentType } from '../domain/agent.ts';
import type { SquadView } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';

/** Roles that somebody can play, with what the person calls them. */
const ROLES: readonly { readonly type: AgentType; readonly label: string }[] = [
  { type: 'coding', label: 'Coding' },
  { type: 'testing', label: 'Testing' },
  { type: 'planning', label: 'Planning' },
];
const MOST_OFFERED = 8;

/** `agentId`: an agent of the role that is meant; the person is asked where none is given. */
export async function scaleAgents(squad: EditorSquad, agentId: string | undefined): Promise<void> {
  const type = squad.state?.standing.agents[agentId ?? '']?.type ?? (await chooseRole(squad.state));
  const count = type && (await chooseCount(type, squad.state));
  if (type === undefined || count === undefined) {
    return;
  }
  const { team } = await squad.open();
  await team.scale(type, count);
}

async function chooseRole(state: SquadView | undefined): Promise<AgentType | undefined> {
  const items = ROLES.map(({ type, label }) => ({ label, type, description: describeNow(type, state) }));
  return (await vscode.window.showQuickPick(items, { title: 'Scale which agents?' }))?.type;
}

async function chooseCount(type: AgentType, state: SquadView | undefined): Promise<number | undefined> {
  const automatic = {
    label: 'As many as the work needs',
    description: 'made when tasks wait, gone when idle',
    count: 0,
  };
  const numbers = Array.from({ length: MOST_OFFERED }, (_, index) => ({
    label: `${index + 1}`,
    description: index === 0 ? 'one task at a time' : '',
    count: index + 1,
  }));
  const picked = await vscode.window.showQuickPick([automatic, ...numbers], {
    title: `How many ${type} agents?`,
    placeHolder: `${describeNow(type, state)}. Who is too many goes after its task.`,
  });
  return picked?.count;
}

function describeNow(type: AgentType, state: SquadView | undefined): string {
  const living = Object.values(state?.standing.agents ?? {}).filter((agent) => agent.type === type).length;
  return `${living} now, ${state?.standing.poolSizes[type] === undefined ? 'by the queue' : 'a number you chose'}`;
}
