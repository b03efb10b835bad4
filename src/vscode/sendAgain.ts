/** Sends a message again that could not be delivered, to the same agent or to another one, after the person has read it. */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import { HumanError } from '../domain/errors.ts';
import { deadLettersOf, describeMessage } from '../domain/message.ts';
import type { AgentView, RunView } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';
import { plainLabel } from './plainTexts.ts';
import { agentIcon } from './trees/look.ts';

const TOLD_MS = 5_000;

type Letter = RunView['messages'][string];

export async function sendAgain(squad: EditorSquad, messageId: string | undefined): Promise<void> {
  const letters = Object.values(squad.state?.runs ?? {})
    .filter(({ phase }) => phase !== 'ended')
    .flatMap(({ messages }) => deadLettersOf(messages));
  const chosen = messageId ?? (await chooseLetter(letters));
  if (chosen === undefined) {
    return;
  }
  const letter = letters.find(({ id }) => id === chosen);
  if (!letter) {
    throw new HumanError('This message was sent again already, or its run is over.');
  }
  const receiver = await chooseReceiver(squad, letter);
  if (receiver !== undefined) {
    const { communication } = await squad.open();
    await communication.sendAgain(letter.id, 'editor', receiver);
    vscode.window.setStatusBarMessage(`$(mail) Sent again, to ${receiver}`, TOLD_MS);
  }
}

/** Whoever it was meant for first, then those who read it soon. */
async function chooseReceiver(squad: EditorSquad, letter: Letter): Promise<string | undefined> {
  const rank = ({ id, currentTaskId }: AgentView): number =>
    id === letter.receiver.id ? 0 : currentTaskId === undefined ? 2 : 1;
  const items = Object.values(squad.state?.standing.agents ?? {})
    .filter(({ id }) => id !== letter.sender.id)
    .toSorted((one, other) => rank(one) - rank(other))
    .map(({ id, type, currentTaskId }) => ({
      label: id,
      description:
        currentTaskId === undefined ? 'reads it with its next task' : 'at work, reads it before its next step',
      iconPath: agentIcon(type, undefined),
    }));
  const picked = await vscode.window.showQuickPick(items, {
    title: 'Send to whom?',
    placeHolder: `“${visibleText(describeMessage(letter.content)).slice(0, 120)}”`,
    ignoreFocusOut: true,
  });
  return picked?.label;
}

async function chooseLetter(letters: readonly Letter[]): Promise<string | undefined> {
  if (letters.length === 0) {
    throw new HumanError('Every message of the runs under way was delivered: there is nothing to send again.');
  }
  const picked = await vscode.window.showQuickPick(
    letters.map(({ id, sender, receiver, content, deadLetter }) => ({
      label: `${sender.id} to ${receiver.id}`,
      description: plainLabel(deadLetter?.reason ?? ''),
      detail: plainLabel(describeMessage(content).slice(0, 500)),
      id,
    })),
    { title: 'Send which message again?', ignoreFocusOut: true },
  );
  return picked?.id;
}
