/** What another process may ask of the squad that this one owns, and what is done then. */
import { randomBytes } from 'node:crypto';
import { HumanError } from '../domain/errors.ts';
import { PERSON_ID } from '../domain/message.ts';
import { isUnfinished, choicesOf } from '../domain/run.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Clock, LanguageModels } from '../ports.ts';
import type { AnswerTo, WindowRequest } from '../protocol/windowMessages.ts';
import type { PersonDoor } from '../services/runResult.ts';
import type { SharedSquad } from './sharedSquad.ts';

/** A provider may sign in somewhere before it answers. */
const MODEL_PATIENCE_MS = 60_000;

export interface WindowRequestContext {
  readonly squad: SharedSquad;
  readonly models: LanguageModels;
  readonly clock: Pick<Clock, 'now'>;
  /** Where the person of the other process sits. */
  readonly door: PersonDoor;
  readonly nonces: Nonces;
  readonly showAll: () => void;
}

/** One line's permissions to answer, each for one request and one time. */
export class Nonces {
  private readonly given = new Map<string, string>();

  give(requestId: string): string {
    const nonce = randomBytes(16).toString('hex');
    this.given.set(requestId, nonce);
    return nonce;
  }

  /** Throws a HumanError unless that was given out for that request and not used yet. */
  use(requestId: string, nonce: string): void {
    const given = this.given.get(requestId);
    this.given.delete(requestId);
    if (given === undefined || given !== nonce) {
      throw new HumanError('This answer belongs to nothing that was shown here. Look at the request again.');
    }
  }
}

type Handlers = {
  readonly [Type in WindowRequest['type']]: (
    request: Extract<WindowRequest, { type: Type }>,
    context: WindowRequestContext,
  ) => AnswerTo<Type> | Promise<AnswerTo<Type>>;
};

const DONE = {};

const HANDLERS: Handlers = {
  ready: (_, { showAll }) => {
    showAll();
    return DONE;
  },
  'catch-up': (_, { showAll }) => {
    showAll();
    return DONE;
  },
  ping: () => DONE,
  start: async ({ objective, options }, { squad, models }) => {
    // The owner's models do the work, so what is not there is said before anything begins.
    for (const choice of choicesOf(options)) {
      await models.select(choice, AbortSignal.timeout(MODEL_PATIENCE_MS));
    }
    return { runId: await squad.runs.start(objective, options) };
  },
  pause: async ({ runId }, { squad }) => {
    await squad.runs.pause(unfinishedRun(squad, runId).id);
    return DONE;
  },
  resume: async ({ runId }, { squad, door }) => {
    await squad.runs.resume(unfinishedRun(squad, runId).id, door);
    return DONE;
  },
  'stop-run': async ({ runId }, { squad, door }) => ({ runIds: await squad.runs.stopAll(door, runId) }),
  'emergency-stop': async (_, { squad, door }) => ({ runIds: await squad.runs.stopAll(door) }),
  recover: async (_, { squad, door }) => {
    const runIds = await squad.runs.resumeAll(door);
    await squad.ledger.flushed();
    return { runIds };
  },
  refuse: async ({ requestId }, { squad, door }) => {
    await squad.inbox.answer(requestId, { kind: 'deny' }, door);
    return DONE;
  },
  scale: async ({ role, count }, { squad }) => {
    await squad.team.scale(role, count);
    return DONE;
  },
  apply: async ({ runId }, { squad, door }) => {
    await squad.runs.apply(runId, door);
    return DONE;
  },
  branch: async ({ runId, name }, { squad, door }) => {
    await squad.runs.branch(runId, name, door);
    return DONE;
  },
  discard: async ({ runId }, { squad, door }) => {
    await squad.runs.discard(runId, door);
    return DONE;
  },
  undo: async ({ runId }, { squad, door }) => {
    await squad.runs.undo(runId, door);
    return DONE;
  },
  file: async ({ runId, side, path }, { squad }) => {
    const bytes = await squad.runs.fileAt(runId, side, path);
    return bytes === undefined ? {} : { base64: Buffer.from(bytes).toString('base64') };
  },
  read: async ({ sequence }, { squad }) => ({ event: await squad.ledger.read(sequence) }),
  show: async ({ requestId }, { squad, nonces }) => ({
    requests: await squad.inbox.show(requestId),
    nonce: nonces.give(requestId),
  }),
  answer: async ({ requestId, nonce, answer }, { squad, door, nonces }) => {
    nonces.use(requestId, nonce);
    await squad.inbox.answer(requestId, answer, door);
    return DONE;
  },
  'remove-rule': async ({ ruleId }, { squad, door }) => {
    await squad.inbox.removeRule(ruleId, door);
    return DONE;
  },
  say: async ({ messageId, receiverId, messageType, content, priority }, { squad, clock }) => {
    await squad.communication.sendMessage({
      id: messageId,
      senderId: PERSON_ID,
      receiverId,
      type: messageType,
      content,
      priority,
      timestamp: new Date(clock.now()),
    });
    return DONE;
  },
  'send-again': async ({ messageId, receiverId }, { squad, door }) => {
    await squad.communication.sendAgain(messageId, door, receiverId);
    return DONE;
  },
};

/** Rejects with a HumanError where it was not done and a person should read why. */
export async function answerWindow(request: WindowRequest, context: WindowRequestContext): Promise<object> {
  // The row of a type takes that type's requests; the index loses that.
  const handler = HANDLERS[request.type] as (
    request: WindowRequest,
    context: WindowRequestContext,
  ) => object | Promise<object>;
  return handler(request, context);
}

function unfinishedRun(squad: SharedSquad, runId: string): RunView {
  const { runs } = squad.ledger.state;
  const run = Object.hasOwn(runs, runId) ? runs[runId] : undefined;
  if (!run) {
    throw new HumanError('This run is not there any more.');
  }
  if (!isUnfinished(run)) {
    throw new HumanError('This run has ended.');
  }
  return run;
}
