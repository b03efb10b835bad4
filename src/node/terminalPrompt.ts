/** Asks the person at the terminal, one request after the other, each shown in full. */
import { createInterface } from 'node:readline/promises';
import { visibleText } from '../base/visibleText.ts';
import type { ViewedSquad } from '../control/sharedSquad.ts';
import type { PersonRequest, RequestAnswer } from '../domain/approval.ts';
import { messageOf } from '../domain/errors.ts';
import { describeTakeOver, type OwnerRecord } from '../domain/owner.ts';
import { forecastWords } from '../domain/forecast.ts';
import { describeGrant, offersOf } from '../domain/grants.ts';
import { describeRequest, howSettled } from '../domain/requestWords.ts';
import { openRequests } from '../domain/requestState.ts';
import type { ShownRequests } from '../inbox/inbox.ts';
import type { TerminalView } from './terminalView.ts';

type OpenRequest = ReturnType<typeof openRequests>[number];

/**
 * Asks about the runs that `isOurs` names, until the signal is aborted: then nothing is asked any more, and what is on
 * screen is taken off. Never resolves: there may always come another request.
 */
export function promptForAnswers(
  squad: ViewedSquad,
  view: TerminalView | undefined,
  isOurs: (runId: string) => boolean,
  signal: AbortSignal,
): Promise<never> {
  const asked = new Set<string>();
  let asking = Promise.resolve();
  const waiting = (): OpenRequest[] =>
    Object.values(squad.ledger.state.runs).flatMap((run) => (isOurs(run.id) ? openRequests(run) : []));
  const look = (): void => {
    for (const { id } of waiting().filter((request) => !asked.has(request.id))) {
      // What asks for the same as one that was answered meanwhile waits no more by then.
      asked.add(id);
      asking = asking.then(async () => {
        // Answered meanwhile, by the run's own policy for example.
        const request = waiting().find((open) => open.id === id);
        if (request && !signal.aborted) {
          await promptFor(squad, request, view, signal);
        }
      });
    }
  };
  // Looked at once the turn is over: the run's own policy may answer in the same one.
  const listening = squad.ledger.onDidAppend(() => setImmediate(look));
  signal.addEventListener('abort', () => {
    listening.dispose();
  });
  look();
  return new Promise(() => undefined);
}

/** Never rejects. Ends also when the request is answered elsewhere, or withdrawn. */
export async function promptFor(
  squad: ViewedSquad,
  request: Pick<OpenRequest, 'id' | 'runId'>,
  view: TerminalView | undefined,
  signal: AbortSignal,
): Promise<void> {
  view?.hold();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const leaving = new AbortController();
  const elsewhere = new AbortController();
  const listening = squad.ledger.onDidAppend(() => {
    if (squad.ledger.state.runs[request.runId]?.requests[request.id]?.answer) {
      elsewhere.abort();
    }
  });
  // While a question is on screen Ctrl-C comes here and not as a signal.
  terminal.on('SIGINT', () => {
    leaving.abort();
    process.kill(process.pid, 'SIGINT');
  });
  try {
    const shown = await squad.inbox.show(request.id);
    tellRequest(squad, shown);
    const until = AbortSignal.any([signal, leaving.signal, elsewhere.signal]);
    const question = (text: string): Promise<string> =>
      terminal.question(text, { signal: until }).then((said) => said.trim());
    const answer = await readAnswer(shown[0], question);
    listening.dispose();
    await squad.inbox.answer(request.id, alsoFor(shown, answer), 'terminal');
  } catch (error) {
    const isLeft = signal.aborted || leaving.signal.aborted;
    const settled = squad.ledger.state.runs[request.runId]?.requests[request.id];
    const words = elsewhere.signal.aborted && settled ? howSettled(settled) : messageOf(error);
    process.stderr.write(`${isLeft ? '' : visibleText(words)}\n`);
  } finally {
    listening.dispose();
    terminal.close();
    view?.release();
  }
}

/** Puts the request on the screen in full, with all that wait for the same. */
export function tellRequest({ ledger }: ViewedSquad, [request, ...same]: ShownRequests): void {
  const run = ledger.state.runs[request.runId];
  const { title, paragraphs } = describeRequest(request, same, run && forecastWords(ledger.state, run));
  process.stderr.write(`\n${[title, ...paragraphs].join('\n\n')}\n\n`);
}

/** The answer, to be given to all that were shown with the request where they are allowed. */
export function alsoFor([, ...same]: ShownRequests, answer: RequestAnswer): RequestAnswer {
  return answer.kind === 'allow' && same.length > 0 ? { ...answer, also: same.map(({ id }) => id) } : answer;
}

/** Asks until there is an answer: "more" shows what can be allowed beyond this once, and leads back. */
async function readAnswer(request: PersonRequest, question: (text: string) => Promise<string>): Promise<RequestAnswer> {
  const offers = offersOf(request);
  for (;;) {
    const said = await question(questionOf(request.subject.kind, offers.length > 0));
    if (said !== 'more' || offers.length === 0) {
      return parseAnswer(said, request.subject.kind);
    }
    const lines = offers.map((grant, index) => `  ${index + 1}  Allow ${visibleText(describeGrant(request, grant))}`);
    const grant = offers[Number(await question(`${lines.join('\n')}\nA number, or Enter to go back: `)) - 1];
    if (grant && (grant.reach !== 'workspace' || (await question(RULE_QUESTION)) === 'save')) {
      return { kind: 'allow', grant };
    }
  }
}

const RULE_QUESTION = 'This is a rule for later runs, too; "devsquad rules" shows it. Type "save" to save it: ';

function questionOf(kind: OpenRequest['subject']['kind'], hasMore: boolean): string {
  switch (kind) {
    case 'plan':
      return 'allow, deny, or say what should be different: ';
    case 'question':
      return 'Your answer: ';
    case 'command':
    case 'write':
    case 'changes':
    case 'read':
    case 'fetch':
    case 'server':
      return hasMore
        ? 'allow, more (what else can be allowed), or deny (a reason helps the agent): '
        : 'allow, or deny (a reason helps the agent): ';
    case 'raise':
      return 'allow, or deny (then the run ends): ';
  }
}

/** Asks what to do about another process that owns the squad and says nothing. Only "take over", written out, ends it. */
export async function aboutSilentOwner(owner: OwnerRecord): Promise<'take-over' | 'leave'> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `Another DevSquad (${owner.host}, process ${owner.pid}) owns this workspace's squad and has not answered for 10 seconds.\n` +
        `${describeTakeOver(owner)}\n` +
        `Type "take over" to do so, or press Enter to leave it alone: `,
    );
    return answer.trim().toLowerCase() === 'take over' ? 'take-over' : 'leave';
  } finally {
    terminal.close();
  }
}

/** What a person typed. Anything but `allow` to a question of rights is a refusal, with the words as its reason. */
export function parseAnswer(text: string, kind: string): RequestAnswer {
  if (kind === 'question' || (kind === 'plan' && text !== 'allow' && text !== 'deny')) {
    return { kind: 'text', text };
  }
  return text === 'allow' ? { kind: 'allow' } : { kind: 'deny', ...(text === 'deny' ? {} : { reason: text }) };
}
