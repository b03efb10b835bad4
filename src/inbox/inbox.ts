/**
 * Everything that waits for a person, in one place. An answer counts once; the same request asked again after a restart
 * finds its earlier answer. What a person allowed beyond one call is not asked again.
 */
import { createHash } from 'node:crypto';
import {
  canExpire,
  scopesOf,
  type AnswerDoor,
  type PersonRequest,
  type RequestAnswer,
  type RequestRecord,
  type Rule,
} from '../domain/approval.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { HumanError } from '../domain/errors.ts';
import { PERSON, RUNTIME, type Actor, type EventDraft } from '../domain/events.ts';
import { covers, effectText, grantedBy, isOffered, MOST_RULES, ruleOf } from '../domain/grants.ts';
import { howSettled } from '../domain/requestWords.ts';
import { openRequests } from '../domain/requestState.ts';
import { isUnfinished } from '../domain/run.ts';
import type { Clock, Ledger } from '../ports.ts';
import { untilState } from './untilState.ts';

type Request = DeepReadonly<RequestRecord>;
/** The one that was asked for, and those that wait for the same. */
export type ShownRequests = readonly [PersonRequest, ...PersonRequest[]];

const POLICY: Actor = { kind: 'runtime', id: 'policy' };

export class Inbox {
  private readonly ledger: Ledger;
  private readonly clock: Pick<Clock, 'now'>;

  constructor(ledger: Ledger, clock: Pick<Clock, 'now'>) {
    this.ledger = ledger;
    this.clock = clock;
  }

  /** Opens the request unless it is open already, and resolves with its answer once that is durable. */
  async ask(asked: Omit<PersonRequest, 'effect'>, signal: AbortSignal): Promise<RequestAnswer> {
    const run = this.ledger.state.runs[asked.runId];
    if (!run?.requests[asked.id]) {
      const expiresAfter = canExpire(asked.subject) ? run?.options.requestMinutes : undefined;
      const request = { ...withEffect(asked), ...(expiresAfter === undefined ? {} : { expiresAfter }) };
      this.ledger.append({
        type: 'request-opened',
        runId: request.runId,
        ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
        actor: request.agentId === undefined ? RUNTIME : { kind: 'agent', id: request.agentId },
        request,
      });
      this.answerByPolicy(request);
    }
    const answer = await this.answerTo(asked, signal);
    await this.ledger.flushed();
    // Whatever withdrew the request ended the work as well: then nobody needs its answer any more.
    signal.throwIfAborted();
    return answer;
  }

  /**
   * Records a person's answer: to this request, to those for the same that were shown with it or, when it is refused, are
   * open, and to all that a grant covers. Throws a HumanError when there is no such request, it has an answer already, or
   * this cannot be its answer.
   */
  answer(requestId: string, answer: RequestAnswer, door: AnswerDoor): Promise<void> {
    const request = this.openRequest(requestId);
    requireFit(request, answer);
    const run = this.ledger.state.runs[request.runId];
    const others = run ? openRequests(run).filter((other) => isAnsweredWith(request, other, answer)) : [];
    const grant = answer.kind === 'allow' ? answer.grant : undefined;
    const rule = grant?.reach === 'workspace' ? this.ruleFor(request, grant) : undefined;
    return this.ledger.append(
      answered(request, answer, door, PERSON),
      ...others.map((other) => answered(other, plain(answer), door, PERSON, request.id)),
      ...(rule ? [{ type: 'rule-saved' as const, runId: request.runId, actor: PERSON, rule, door }] : []),
    ).durable;
  }

  /** A request that waits, in full, and those that wait for the same. Throws a HumanError when it waits no more. */
  show(requestId: string): Promise<ShownRequests> {
    const request = this.openRequest(requestId);
    const run = this.ledger.state.runs[request.runId];
    const same = (run ? openRequests(run) : []).filter(
      ({ id, effect }) => id !== requestId && effect !== undefined && effect === request.effect,
    );
    // Copies of whoever looks at them.
    return Promise.resolve(structuredClone([request, ...same]) as [RequestRecord, ...RequestRecord[]]);
  }

  /** From now on it is asked again, also in runs that are under way. Throws a HumanError when there is no such rule. */
  removeRule(ruleId: string, door: AnswerDoor): Promise<void> {
    const { standing, runs } = this.ledger.state;
    if (!standing.rules[ruleId]) {
      throw new HumanError('This rule is not there any more.');
    }
    const ofRuns = Object.values(runs).filter((run) => isUnfinished(run) && run.rules.some(({ id }) => id === ruleId));
    const removed = { type: 'rule-removed' as const, actor: PERSON, ruleId, door };
    return this.ledger.append(
      ...(ofRuns.length === 0 ? [removed] : ofRuns.map(({ id }) => ({ ...removed, runId: id }))),
    ).durable;
  }

  private openRequest(requestId: string): Request {
    const request = Object.values(this.ledger.state.runs)
      .flatMap((run) => Object.values(run.requests))
      .find(({ id }) => id === requestId);
    if (!request) {
      throw new HumanError(`Nothing waits under the id ${requestId}.`);
    }
    if (request.answer) {
      throw new HumanError(howSettled(request));
    }
    return request;
  }

  private ruleFor(
    request: Request,
    grant: NonNullable<(RequestAnswer & { kind: 'allow' })['grant']>,
  ): Rule | undefined {
    const { rules } = this.ledger.state.standing;
    const rule = ruleOf(request, grant, this.clock.now());
    if (rule && !rules[rule.id] && Object.keys(rules).length >= MOST_RULES) {
      throw new HumanError(`There are ${MOST_RULES} rules already. Take one back first, or allow this for the run.`);
    }
    return rule;
  }

  /** Whether nobody would be asked. */
  isAllowed(asked: Omit<PersonRequest, 'effect'>): boolean {
    return this.whatAllows(withEffect(asked)) !== undefined;
  }

  private answerByPolicy(request: PersonRequest): void {
    const by = this.whatAllows(request);
    if (by) {
      this.ledger.append(answered(request, { kind: 'allow' }, 'policy', POLICY, by.grantedBy));
    }
  }

  /** What the run was started with allows first, then what a person allowed since. */
  private whatAllows(request: PersonRequest): { readonly grantedBy?: string } | undefined {
    const run = this.ledger.state.runs[request.runId];
    if (!run || scopesOf(request.subject)?.every((scope) => run.options.approve.includes(scope))) {
      return run && {};
    }
    const granted = grantedBy(run, request);
    return granted === undefined ? undefined : { grantedBy: granted };
  }

  private async answerTo(
    { id, runId }: Pick<PersonRequest, 'id' | 'runId'>,
    signal: AbortSignal,
  ): Promise<RequestAnswer> {
    for (;;) {
      const answer = this.ledger.state.runs[runId]?.requests[id]?.answer;
      if (answer) {
        // A copy of the caller's own.
        return structuredClone(answer) as RequestAnswer;
      }
      await untilState(this.ledger, () => this.ledger.state.runs[runId]?.requests[id]?.answer !== undefined, signal);
    }
  }
}

function withEffect(asked: Omit<PersonRequest, 'effect'>): PersonRequest {
  const text = effectText(asked.subject);
  return { ...asked, ...(text === undefined ? {} : { effect: createHash('sha256').update(text).digest('hex') }) };
}

function requireFit(request: Request, answer: RequestAnswer): void {
  const { kind } = request.subject;
  if (kind === 'question' ? answer.kind === 'allow' : kind !== 'plan' && answer.kind === 'text') {
    throw new HumanError(
      kind === 'question'
        ? 'This is a question: answer with a text, or deny to leave it open.'
        : 'Answer this with allow or deny.',
    );
  }
  if (answer.kind === 'allow' && answer.grant && !isOffered(request, answer.grant)) {
    throw new HumanError('This can be allowed once only: it is asked each time.');
  }
}

/** Whether an open request is answered along with the one that a person looked at. */
function isAnsweredWith(request: Request, other: Request, answer: RequestAnswer): boolean {
  if (other.id === request.id) {
    return false;
  }
  const isSame = request.effect !== undefined && request.effect === other.effect;
  switch (answer.kind) {
    case 'allow':
      return (
        (isSame && answer.also?.includes(other.id) === true) ||
        (answer.grant !== undefined && covers(request, answer.grant, other))
      );
    case 'deny':
      return isSame;
    case 'text':
      return false;
  }
}

/** What it grants beyond stands with the request that a person looked at, and nowhere else. */
function plain(answer: RequestAnswer): RequestAnswer {
  return answer.kind === 'allow' ? { kind: 'allow' } : answer;
}

function answered(
  request: DeepReadonly<PersonRequest> & { readonly sequence?: number },
  answer: RequestAnswer,
  door: AnswerDoor,
  actor: Actor,
  grantedBy?: string,
): EventDraft {
  return {
    type: 'request-answered',
    runId: request.runId,
    ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
    actor,
    ...(request.sequence === undefined ? {} : { causedBy: request.sequence }),
    requestId: request.id,
    answer,
    door,
    ...(grantedBy === undefined ? {} : { grantedBy }),
  };
}
