/** A message from the person to an agent at work; it reads it at its next turn. */
import * as vscode from 'vscode';
import { HumanError } from '../domain/errors.ts';
import { systemClock } from '../host/clock.ts';
import { PERSON_ID } from '../domain/message.ts';
import type { EditorSquad } from './editorSquad.ts';

export async function sendMessage(squad: EditorSquad, agentId: string | undefined): Promise<void> {
  const receiverId = agentId ?? (await chooseAgent(squad));
  if (receiverId === undefined) {
    return;
  }
  const text = await vscode.window.showInputBox({
    title: `Message to ${receiverId}`,
    prompt: 'Information for the agent; it reads it before its next step.',
    ignoreFocusOut: true,
  });
  if (text === undefined || text.trim() === '') {
    return;
  }
  const { communication } = await squad.open();
  await communication.sendMessage({
    id: `you-${systemClock.newId()}`,
    senderId: PERSON_ID,
    receiverId,
    type: 'coordination',
    content: { kind: 'text', text },
    priority: 4,
    timestamp: new Date(systemClock.now()),
  });
}

async function chooseAgent(squad: EditorSquad): Promise<string | undefined> {
  const busy = Object.values(squad.state?.standing.agents ?? {}).filter(({ currentTaskId }) => currentTaskId);
  if (busy.length === 0) {
    throw new HumanError('Nobody is at work now, so nobody would read a message.');
  }
  const picked = await vscode.window.showQuickPick(
    busy.map(({ id, type }) => ({ label: id, description: `${type} agent` })),
    { title: 'Message to whom?' },
  );
  return picked?.label;
}
