/** How many agents of a role there are: a person chooses the role and a number, or leaves it to the queue. */
import * as vscode from 'vscode';
import type { AgentType } from '../domain/agent.ts';
import type { SquadView } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';
import { agentIcon } from './trees/look.ts';

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
  const items = ROLES.map(({ type, label }) => ({
    label,
    type,
    description: describeNow(type, state),
    iconPath: agentIcon(type, undefined),
  }));
  const title = 'Scale which agents?';
  return (await vscode.window.showQuickPick(items, { title, placeHolder: 'A role of the team' }))?.type;
}

async function chooseCount(type: AgentType, state: SquadView | undefined): Promise<number | undefined> {
  const chosen = state?.standing.poolSizes[type] ?? 0;
  const automatic = {
    label: 'As many as the work needs',
    description: 'made when tasks wait, let go when idle',
    count: 0,
  };
  const numbers = Array.from({ length: MOST_OFFERED }, (_, index) => ({
    label: `${index + 1}`,
    description: index === 0 ? 'one task at a time' : '',
    count: index + 1,
  }));
  const items = [automatic, ...numbers].map((item) => ({
    ...item,
    description: [item.description, item.count === chosen ? 'as now' : ''].filter(Boolean).join(' · '),
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: `How many ${type} agents?`,
    placeHolder: `${capitalised(describeNow(type, state))}. Whoever is too many ends its task first.`,
  });
  return picked?.count;
}

function describeNow(type: AgentType, state: SquadView | undefined): string {
  const living = Object.values(state?.standing.agents ?? {}).filter((agent) => agent.type === type).length;
  const chosen = state?.standing.poolSizes[type];
  return `${living === 0 ? 'none' : living} now, ${chosen === undefined ? 'as many as the work needs' : `kept at ${chosen}`}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
