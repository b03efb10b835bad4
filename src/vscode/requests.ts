/**
 * A person's answer to one request, given in VS Code's own dialogs: the whole request is shown, and only the click there
 * counts. Whoever opens the dialog (a tree, a notification, a code lens, another extension) cannot answer by itself.
 */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import { describeSubject, type RequestAnswer, type RequestRecord } from '../domain/approval.ts';
import { HumanError } from '../domain/errors.ts';
import { describeRequest } from '../domain/requestWords.ts';
import { openRequests } from '../domain/requestState.ts';
import type { SquadView } from '../domain/squadState.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { EditorSquad } from './editorSquad.ts';
import { plainLabel, plainMessage } from './plainTexts.ts';
import { isTooLong, type RequestDocuments } from './requestDocument.ts';

type OpenRequest = DeepReadonly<RequestRecord>;

/**
 * Shows the request in full and records what the person clicks; closing the dialog answers nothing. What is too long for a
 * dialog is opened as a document first, and can be allowed only while it is on screen.
 */
export async function answerRequest(
  squad: EditorSquad,
  documents: RequestDocuments,
  requestId: string | undefined,
): Promise<void> {
  const { inbox, ledger } = await squad.open();
  const request = await chooseRequest(ledger.state, requestId);
  const answer = request && (await askFor(request, documents));
  if (request && answer) {
    await inbox.answer(request.id, answer, 'editor');
  }
}

/** Refusing is safe, so it needs no dialog of its own; a reason goes to the agent. */
export async function refuseRequest(squad: EditorSquad, requestId: string | undefined): Promise<void> {
  const { inbox, ledger } = await squad.open();
  const request = await chooseRequest(ledger.state, requestId);
  if (!request) {
    return;
  }
  const reason = await vscode.window.showInputBox({
    title: 'Refuse',
    prompt: 'Why? The agent reads it and looks for another way. May stay empty.',
  });
  if (reason !== undefined) {
    await inbox.answer(request.id, { kind: 'deny', ...(reason.trim() === '' ? {} : { reason }) }, 'editor');
  }
}

/** Asks what to change in the plan; the planning agent then revises it. */
export async function revisePlan(squad: EditorSquad, requestId: string): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: 'Revise the plan',
    prompt: 'What should be different? The planning agent revises the plan and asks again.',
    ignoreFocusOut: true,
  });
  if (text !== undefined && text.trim() !== '') {
    const { inbox } = await squad.open();
    await inbox.answer(requestId, { kind: 'text', text }, 'editor');
  }
}

async function chooseRequest(state: SquadView, requestId: string | undefined): Promise<OpenRequest | undefined> {
  const waiting = Object.values(state.runs).flatMap((run) => openRequests(run));
  if (requestId !== undefined) {
    const request = waiting.find(({ id }) => id === requestId);
    if (!request) {
      throw new HumanError('This was answered already, or its run is over.');
    }
    return request;
  }
  const [first] = waiting;
  if (!first) {
    throw new HumanError('Nothing waits for you.');
  }
  if (waiting.length === 1) {
    return first;
  }
  const picked = await vscode.window.showQuickPick(
    waiting.map((request) => ({
      label: plainLabel(describeSubject(request.subject)),
      description: request.agentId ?? '',
      request,
    })),
    { title: 'What waits for you' },
  );
  return picked?.request;
}

async function askFor(request: OpenRequest, documents: RequestDocuments): Promise<RequestAnswer | undefined> {
  const { subject } = request;
  if (subject.kind === 'question') {
    return answerQuestion(request.agentId ?? 'The host', subject.question, subject.options);
  }
  const allow = subject.kind === 'plan' ? 'Accept plan' : 'Allow';
  const { title, paragraphs } = describeRequest(request);
  const whole = paragraphs.join('\n\n');
  if (isTooLong(whole) && !documents.isShown(request)) {
    await documents.show(request);
    return undefined;
  }
  const detail = isTooLong(whole) ? 'All of it is in the editor behind this dialog. Read it to its end first.' : whole;
  const clicked = await vscode.window.showInformationMessage(title, { modal: true, detail }, allow, 'Refuse');
  return clicked === allow ? { kind: 'allow' } : clicked === 'Refuse' ? { kind: 'deny' } : undefined;
}

async function answerQuestion(
  who: string,
  question: string,
  options: readonly string[],
): Promise<RequestAnswer | undefined> {
  const OWN_WORDS = 'Answer in your own words…';
  const title = `${who} asks`;
  const picked =
    options.length > 0
      ? await vscode.window.showQuickPick(
          [...options, OWN_WORDS].map((option) => ({ label: plainLabel(option), option })),
          { title, placeHolder: visibleText(question), ignoreFocusOut: true },
        )
      : { option: OWN_WORDS };
  const text =
    picked?.option === OWN_WORDS
      ? await vscode.window.showInputBox({ title, prompt: plainMessage(question), ignoreFocusOut: true })
      : picked?.option;
  return text === undefined ? undefined : { kind: 'text', text };
}
