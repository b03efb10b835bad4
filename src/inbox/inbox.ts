/**
 * Everything that waits for a person, in one place. An answer counts once; the same request asked again after a restart
 * finds its earlier answer.
 */
import { scopesOf, type AnswerDoor, type PersonRequest, type RequestAnswer } from '../domain/approval.ts';
import { HumanError } from '../domain/errors.ts';
import { PERSON, RUNTIME } from '../domain/events.ts';
import type { Ledger } from '../ports.ts';
import { untilState } from './untilState.ts';

export class Inbox {
  private readonly ledger: Ledger;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Opens the request unless it is open already, and resolves with its answer once that is durable. */
  async ask(request: PersonRequest, signal: AbortSignal): Promise<RequestAnswer> {
    const run = this.ledger.state.runs[request.runId];
    if (!run?.requests[request.id]) {
      this.ledger.append({
        type: 'request-opened',
        runId: request.runId,
        ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
        actor: request.agentId === undefined ? RUNTIME : { kind: 'agent', id: request.agentId },
        request,
      });
      this.answerByPolicy(request);
    }
    const answer = await this.answerTo(request, signal);
    await this.ledger.flushed();
    // Whatever withdrew the request ended the work as well: then nobody needs its answer any more.
    signal.throwIfAborted();
    return answer;
  }

  /** Records a person's answer. Throws a HumanError when there is no such request or it has an answer already. */
  answer(requestId: string, answer: RequestAnswer, door: AnswerDoor): Promise<void> {
    const request = Object.values(this.ledger.state.runs)
      .flatMap((run) => Object.values(run.requests))
      .find(({ id }) => id === requestId);
    if (!request) {
      throw new HumanError(`Nothing waits under the id ${requestId}.`);
    }
    if (request.answer) {
      throw new HumanError(
        request.door
          ? `${requestId} was answered already, through ${request.door}.`
          : `${requestId} needs no answer any more${request.answer.kind === 'deny' && request.answer.reason ? `: ${request.answer.reason}` : '.'}`,
      );
    }
    const { kind } = request.subject;
    if (kind === 'question' ? answer.kind === 'allow' : kind !== 'plan' && answer.kind === 'text') {
      throw new HumanError(
        kind === 'question'
          ? 'This is a question: answer with a text, or deny to leave it open.'
          : 'Answer this with allow or deny.',
      );
    }
    return this.ledger.append({
      type: 'request-answered',
      runId: request.runId,
      ...(request.taskId === undefined ? {} : { taskId: request.taskId }),
      actor: door === 'policy' ? { kind: 'runtime', id: 'policy' } : PERSON,
      causedBy: request.sequence,
      requestId,
      answer,
      door,
    }).durable;
  }

  private answerByPolicy(request: PersonRequest): void {
    const given = this.ledger.state.runs[request.runId]?.options.approve ?? [];
    if (scopesOf(request.subject)?.every((scope) => given.includes(scope))) {
      void this.answer(request.id, { kind: 'allow' }, 'policy');
    }
  }

  private async answerTo({ id, runId }: PersonRequest, signal: AbortSignal): Promise<RequestAnswer> {
    for (;;) {
      const answer = this.ledger.state.runs[runId]?.requests[id]?.answer;
      if (answer) {
        return answer;
      }
      await untilState(this.ledger, () => this.ledger.state.runs[runId]?.requests[id]?.answer !== undefined, signal);
    }
  }
}
