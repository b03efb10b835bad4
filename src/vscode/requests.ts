/**
 * A person's answer to one request, given in VS Code's own dialogs: the whole request is shown, and only the click there
 * counts. Whoever opens the dialog (a tree, a notification, a code lens, another extension) cannot answer by itself.
 */
import * as vscode from 'vscode';
import { visibleText } from '../base/visibleText.ts';
import {
  describeSubject,
  type Grant,
  type PersonRequest,
  type RequestAnswer,
  type RequestRecord,
} from '../domain/approval.ts';
import { HumanError } from '../domain/errors.ts';
import { forecastWords } from '../domain/forecast.ts';
import { choiceOf, describeGrant, describeRule, groupsOf, offersOf } from '../domain/grants.ts';
import { namesOfAskers, waitingRequests } from '../domain/phaseWords.ts';
import { describeRequest, howSettled } from '../domain/requestWords.ts';
import type { SquadView } from '../domain/squadState.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { ShownRequests } from '../inbox/inbox.ts';
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
  const chosen = await chooseRequest(ledger.state, requestId);
  if (!chosen) {
    return;
  }
  const shown = await inbox.show(chosen.id);
  const run = ledger.state.runs[chosen.runId];
  const answer = await askFor(shown, documents, run && forecastWords(ledger.state, run));
  // A dialog stays on screen whoever answers elsewhere meanwhile.
  const now = ledger.state.runs[chosen.runId]?.requests[chosen.id];
  if (answer && now?.answer) {
    void vscode.window.showInformationMessage(plainMessage(`${howSettled(now)} Your click changed nothing.`));
  } else if (answer) {
    await inbox.answer(chosen.id, answer, 'editor');
  }
}

/** The rules by which the team is not asked; one that is picked is taken back once the person has confirmed it. */
export async function showRules(squad: EditorSquad): Promise<void> {
  const { inbox, ledger } = await squad.open();
  const rules = Object.values(ledger.state.standing.rules);
  if (rules.length === 0) {
    void vscode.window.showInformationMessage('There are no rules. “Allow More…” in a request makes one.');
    return;
  }
  const picked = await vscode.window.showQuickPick(
    rules.map((rule) => ({
      label: plainLabel(describeSubject(rule.subject)),
      detail: plainLabel(`Allowed: ${describeRule(rule)}`),
      rule,
    })),
    { title: 'Rules of this workspace', placeHolder: 'Pick one to take it back' },
  );
  const TAKE_BACK = 'Take it back';
  if (picked) {
    const clicked = await vscode.window.showInformationMessage(
      'Take this rule back?',
      {
        modal: true,
        detail: `Allow ${visibleText(describeRule(picked.rule))}.\n\nFrom now on it is asked again, also in runs that are under way.`,
      },
      TAKE_BACK,
    );
    if (clicked === TAKE_BACK) {
      await inbox.removeRule(picked.rule.id, 'editor');
    }
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
  const waiting = Object.values(state.runs).flatMap((run) => waitingRequests(run));
  if (requestId !== undefined) {
    const request = waiting.find(({ id }) => id === requestId);
    if (!request) {
      throw new HumanError('This was answered already, or its run is over.');
    }
    return request;
  }
  const groups = groupsOf(waiting);
  const [first] = groups;
  if (!first) {
    throw new HumanError('Nothing waits for you.');
  }
  if (groups.length === 1) {
    return first[0];
  }
  const picked = await vscode.window.showQuickPick(
    groups.map((group) => ({
      label: plainLabel(describeSubject(group[0].subject)),
      description: namesOfAskers(group),
      request: group[0],
    })),
    { title: 'What waits for you' },
  );
  return picked?.request;
}

async function askFor(
  shown: ShownRequests,
  documents: RequestDocuments,
  forecast: string | undefined,
): Promise<RequestAnswer | undefined> {
  const [request, ...same] = shown;
  const { subject } = request;
  if (subject.kind === 'question') {
    return answerQuestion(request.agentId ?? 'The host', subject.question, subject.options);
  }
  const allow = subject.kind === 'plan' ? 'Accept plan' : 'Allow';
  const { title, paragraphs } = describeRequest(request, same, forecast);
  const whole = paragraphs.join('\n\n');
  if (isTooLong(whole) && !documents.isShown(request)) {
    await documents.show(shown);
    return undefined;
  }
  const detail = isTooLong(whole) ? 'All of it is in the editor behind this dialog. Read it to its end first.' : whole;
  const more = offersOf(request).length > 0 ? [MORE] : [];
  const clicked = await vscode.window.showInformationMessage(title, { modal: true, detail }, allow, ...more, 'Refuse');
  const also = same.length > 0 ? { also: same.map(({ id }) => id) } : {};
  switch (clicked) {
    case allow:
      return { kind: 'allow', ...also };
    case MORE: {
      const grant = await chooseGrant(request);
      return grant && { kind: 'allow', grant, ...also };
    }
    case 'Refuse':
      return { kind: 'deny' };
    default:
      return undefined;
  }
}

const MORE = 'Allow More…';

/** What is allowed beyond this once, picked from a list and confirmed in full; undefined when the person closed either. */
async function chooseGrant(request: PersonRequest): Promise<Grant | undefined> {
  const picked = await vscode.window.showQuickPick(
    offersOf(request).map((grant) => {
      const { label, detail } = choiceOf(request, grant);
      return { label, detail: plainLabel(detail), grant };
    }),
    { title: 'Allow more than this once', placeHolder: 'What you allow here is not asked again', ignoreFocusOut: true },
  );
  if (!picked) {
    return undefined;
  }
  const isRule = picked.grant.reach === 'workspace';
  const confirm = isRule ? 'Save rule' : 'Allow';
  const clicked = await vscode.window.showInformationMessage(
    isRule ? 'Save this rule?' : 'Allow this without asking again?',
    {
      modal: true,
      detail: `Allow ${visibleText(describeGrant(request, picked.grant))}.\n\n${isRule ? 'It holds for this run and for later ones. “DevSquad: Rules…” shows it and takes it back.' : 'Stopping the run does not end it; its end does.'}`,
    },
    confirm,
  );
  return clicked === confirm ? picked.grant : undefined;
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
