/** A run as lines for people: what began, what waits, what was proven. The terminal prints them, the chat streams them. */
import { describeSubject } from '../domain/approval.ts';
import { forecastWords } from '../domain/forecast.ts';
import { clockTime, moneyWords } from '../domain/phaseWords.ts';
import { describeMessage } from '../domain/message.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { RunView, SquadView } from '../domain/squadState.ts';

/** One line for an event that a person wants to see, or undefined. */
export function lineOf(event: SquadEvent, state: SquadView): string | undefined {
  const run = state.runs[event.runId ?? ''];
  const task = run?.tasks[event.taskId ?? ''];
  const who = task?.agentId ?? event.actor.id;
  const what = task ? `${task.key} “${task.title}”` : '';
  switch (event.type) {
    case 'run-started':
      return `${event.runId ?? ''}: ${event.objective}${event.options.model.door === 'rehearsal' ? '  (rehearsal: prepared answers)' : ''}`;
    case 'plan-submitted':
      return [
        `Plan ${event.revision}: ${event.plan.summary} (${event.plan.strategy}: ${event.plan.why})`,
        ...event.plan.tasks.map(
          ({ key, title, role, dependsOn }) =>
            `    ${key}  ${title}  [${role}${dependsOn.length > 0 ? `, after ${dependsOn.join(', ')}` : ''}]`,
        ),
        ...forecastLines(state, run),
      ].join('\n');
    case 'plan-accepted':
      return 'Plan accepted.';
    case 'task-started':
      return `${who} begins ${what}`;
    case 'task-progressed':
      return `${who}: ${event.note}`;
    case 'message-sent':
      return event.message.content.kind === 'text'
        ? `${event.message.sender.id} → ${event.message.receiver.id}: ${describeMessage(event.message.content)}`
        : undefined;
    case 'message-failed': {
      const message = run?.messages[event.messageId];
      return message ? `Not delivered, ${message.sender.id} → ${message.receiver.id}: ${event.reason}` : undefined;
    }
    case 'tool-calls-put-off':
      return `${who} reads its mail before it goes on with ${what}`;
    case 'model-call-parked':
      return `${what} stands still until ${clockTime(event.until)}: ${event.reason}`;
    case 'changes-held-back':
      return `${who} changed ${event.changes.map(({ path }) => path).join(', ')} without leave, so that was put back`;
    case 'check-ended':
      return `  ${event.result.passed ? '✓' : '✗'} ${what}: ${event.result.summary}`;
    case 'task-reopened':
      return `${what} goes back to ${who} (${event.cause})`;
    case 'task-proven':
      return `✓ ${what} is proven`;
    case 'agent-silent':
    case 'agent-crashed':
    case 'agent-stuck':
    case 'agent-given-up':
      return `! ${event.reason}`;
    case 'agent-restarted':
      return `${event.agentId} starts ${what} ${event.fresh ? 'afresh' : 'where it was'}: ${event.reason}`;
    case 'agent-draining':
    case 'agent-destroyed':
      return `${event.agentId} goes: ${event.reason}`;
    case 'task-handed-back':
      return `${what} is free again: ${event.reason}`;
    case 'task-retried':
      return `${what} begins anew: ${event.reason}`;
    case 'task-failed':
      return `✗ ${what} failed: ${event.reason}`;
    case 'task-cancelled':
      return `${what} is cancelled: ${event.reason}`;
    case 'request-opened':
      return `Waits for you, ${event.request.id}: ${describeSubject(event.request.subject)}`;
    case 'model-call-held':
      return event.requestId === undefined ? undefined : `${what} stands still until its budget is raised`;
    case 'budget-reached':
    case 'budget-warned':
      return event.message;
    case 'apply-ended':
      return event.applied ? `Applied: ${event.detail}` : event.detail;
    case 'apply-undo-ended':
      return event.undone ? `Taken back: ${event.detail}` : event.detail;
    case 'run-stopped':
      return 'Stopped. Nothing is lost; "devsquad resume" goes on.';
    case 'run-ended':
      return [
        `${event.status}${event.reason === undefined ? '' : `: ${event.reason}`}  (${event.usage.tokens} tokens in ${event.usage.requests} requests${run ? afterComma(moneyWords(run)) : ''})`,
        ...(event.diff?.files ?? []).map(
          ({ path, status, added, removed }) => `    ${status.padEnd(8)} ${path}  +${added} −${removed}`,
        ),
      ].join('\n');
    default:
      return undefined;
  }
}

const afterComma = (words: string): string => (words === '' ? '' : `, ${words}`);

function forecastLines(state: SquadView, run: RunView | undefined): string[] {
  const words = run && forecastWords(state, run);
  return words === undefined ? [] : [`    It will come to ${words}.`];
}
