/** What a view may ask of its squad, and what is done then. Everything a page says is parsed here, and only here. */
import { HumanError, messageOf } from '../domain/errors.ts';
import { isUnfinished } from '../domain/run.ts';
import { openRequests } from '../domain/requestState.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Logger } from '../ports.ts';
import { viewRequestSchema, type ViewCommand, type ViewRequest } from '../protocol/messages.ts';
import type { ViewedSquad } from './sharedSquad.ts';

export interface ViewRequestContext {
  readonly squad: ViewedSquad;
  readonly logger: Logger;
  /** Sends everything anew. */
  readonly showAll: () => void;
  /** Runs a command of the editor, which asks the person itself. */
  readonly execute: (command: ViewCommand) => void | Promise<void>;
}

/** Does what a page asks. Never rejects: resolves with a sentence for the person where it was not done. */
export async function answerView(value: unknown, context: ViewRequestContext): Promise<string | undefined> {
  const request = viewRequestSchema.safeParse(value);
  if (!request.success) {
    context.logger.warn(`A view asked for something that does not exist: ${request.error.issues[0]?.code ?? ''}`);
    return 'This page asked for something DevSquad does not know. Close it and open it again.';
  }
  try {
    await handle(request.data, context);
    return undefined;
  } catch (error) {
    if (error instanceof HumanError) {
      return error.message;
    }
    context.logger.error(`${request.data.type}: ${messageOf(error)}`, error);
    return `That did not work: ${messageOf(error)}`;
  }
}

type Handlers = {
  readonly [Type in ViewRequest['type']]: (
    request: Extract<ViewRequest, { type: Type }>,
    context: ViewRequestContext,
  ) => unknown;
};

const HANDLERS: Handlers = {
  ready: (_, { showAll }) => {
    showAll();
  },
  'catch-up': (_, { showAll }) => {
    showAll();
  },
  pause: ({ runId }, { squad }) => squad.runs.pause(unfinishedRun(squad, runId).id),
  resume: ({ runId }, { squad }) => squad.runs.resume(unfinishedRun(squad, runId).id, 'editor'),
  'emergency-stop': (_, { squad }) => squad.runs.stopAll('editor'),
  recover: (_, { squad }) => squad.runs.resumeAll('editor'),
  refuse: ({ requestId }, { squad }) => squad.inbox.answer(requestId, { kind: 'deny' }, 'editor'),
  command: ({ command }, { squad, execute }) => {
    checkArguments(command, squad);
    return execute(command);
  },
};

function handle(request: ViewRequest, context: ViewRequestContext): unknown {
  // The row of a type takes that type's requests; the index loses that.
  const handler = HANDLERS[request.type] as (request: ViewRequest, context: ViewRequestContext) => unknown;
  return handler(request, context);
}

/** A command is passed on only with an id that the squad knows, so that none begins on what is gone or was made up. */
function checkArguments(command: ViewCommand, squad: ViewedSquad): void {
  switch (command.command) {
    case 'devsquad.startRun':
      return;
    case 'devsquad.answerApproval': {
      const [requestId] = command.args;
      const runs = Object.values(squad.ledger.state.runs);
      if (!runs.some((run) => openRequests(run).some(({ id }) => id === requestId))) {
        throw new HumanError('This does not wait for you any more.');
      }
      return;
    }
    case 'devsquad.approvePlan':
    case 'devsquad.reviewChanges':
    case 'devsquad.applyChanges':
    case 'devsquad.createBranch':
    case 'devsquad.discardChanges':
      knownRun(squad, command.args[0]);
  }
}

function unfinishedRun(squad: ViewedSquad, runId: string): RunView {
  const run = knownRun(squad, runId);
  if (!isUnfinished(run)) {
    throw new HumanError('This run has ended.');
  }
  return run;
}

function knownRun(squad: ViewedSquad, runId: string): RunView {
  const { runs } = squad.ledger.state;
  const run = Object.hasOwn(runs, runId) ? runs[runId] : undefined;
  if (!run) {
    throw new HumanError('This run is not there any more.');
  }
  return run;
}
