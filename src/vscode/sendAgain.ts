/** Sends a message again that could not be delivered, to the same agent or to another one, after the person has read it. */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import { HumanError } from '../domain/errors.ts';
import { deadLettersOf, describeMessage } from '../domain/message.ts';
import { currentRun } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';

export async function sendAgain(squad: EditorSquad, messageId: string | undefined): Promise<void> {
  const run = currentRun(squad.state);
  const letters = run ? deadLettersOf(run.messages) : [];
  if (letters.length === 0) {
    throw new HumanError('Every message of this run was delivered: there is nothing to send again.');
  }
  const chosen =
    messageId ??
    (
      await vscode.window.showQuickPick(
        letters.map(({ id, sender, receiver, content, deadLetter }) => ({
          label: `${sender.id} to ${receiver.id}`,
          description: visibleText(deadLetter?.reason ?? ''),
          detail: visibleText(describeMessage(content)).slice(0, 500),
          id,
        })),
        { title: 'Send which message again?', ignoreFocusOut: true },
      )
    )?.id;
  const letter = letters.find(({ id }) => id === chosen);
  if (!letter) {
    return;
  }
  const team = Object.values(squad.state?.standing.agents ?? {}).filter(({ id }) => id !== letter.sender.id);
  const receiver = await vscode.window.showQuickPick(
    team
      .toSorted((one, other) => Number(other.id === letter.receiver.id) - Number(one.id === letter.receiver.id))
      .map(({ id, type, currentTaskId }) => ({
        label: id,
        description: `${type} agent, ${currentTaskId === undefined ? 'without a task now' : 'at work'}`,
      })),
    {
      title: `Send to whom? “${visibleText(describeMessage(letter.content)).slice(0, 120)}”`,
      ignoreFocusOut: true,
    },
  );
  if (receiver) {
    const { communication } = await squad.open();
    await communication.sendAgain(letter.id, 'editor', receiver.label);
  }
}
