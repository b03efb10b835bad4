/**
 * What a view gets of events and of a run: everything a list can show, and no body. Bodies are what models answered, what
 * tools gave back, what agents were told, and what a task hands in; a view asks for them when somebody opens one.
 *
 * Both functions cut the same way, so that `apply` over cut events makes the run as this file cuts it.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RequestSubject } from '../domain/approval.ts';
import type { HeldChange } from '../domain/fileChange.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { ProjectPlan } from '../domain/plan.ts';
import type { Run } from '../domain/run.ts';
import { emptyMail } from '../domain/mailbox.ts';
import { LONGEST_TEXT } from '../domain/message.ts';
import type { RunView } from '../domain/squadState.ts';
import type { Task, TaskSpec } from '../domain/task.ts';

/** Stands where a schema wants some text. */
const LEFT_OUT = '…';

export function eventWithoutBodies(event: SquadEvent): SquadEvent {
  switch (event.type) {
    case 'run-started':
      return { ...event, objective: cut(event.objective) };
    case 'plan-submitted':
      return { ...event, plan: planWithoutBodies(event.plan) };
    case 'plan-revision-asked':
      return { ...event, comment: cut(event.comment) };
    case 'task-created':
      return { ...event, task: specWithoutBodies(event.task) };
    case 'task-progressed':
      return { ...event, note: cut(event.note) };
    case 'task-claimed': {
      const claim = { ...event, summary: cut(event.summary) };
      delete claim.artifacts;
      return claim;
    }
    case 'check-ended':
      return { ...event, result: { ...event.result, summary: cut(event.result.summary), output: '' } };
    case 'task-reopened':
    case 'apply-ended':
      return { ...event, detail: cut(event.detail) };
    case 'task-failed':
    case 'task-cancelled':
    case 'task-retried':
    case 'task-handed-back':
    case 'message-refused':
    case 'message-failed':
    case 'request-withdrawn':
    case 'request-expired':
    case 'agent-destroyed':
    case 'agent-draining':
    case 'agent-silent':
    case 'agent-crashed':
    case 'agent-stuck':
    case 'agent-restarted':
    case 'agent-given-up':
    case 'model-call-parked':
    case 'run-archived':
    case 'result-refused':
      return { ...event, reason: cut(event.reason) };
    case 'run-ended':
      return { ...event, ...(event.reason === undefined ? {} : { reason: cut(event.reason) }) };
    case 'person-wrote':
      // The messages it became follow.
      return event.letter.content.kind === 'text'
        ? { ...event, letter: { ...event.letter, content: { kind: 'text', text: LEFT_OUT } } }
        : event;
    case 'message-sent': {
      const { content } = event.message;
      // One character more than the living state keeps: `apply` must see that the text was too long for it.
      return content.kind === 'text'
        ? {
            ...event,
            message: { ...event.message, content: { ...content, text: content.text.slice(0, LONGEST_TEXT + 1) } },
          }
        : event;
    }
    case 'model-call-failed':
      return { ...event, message: cut(event.message) };
    case 'tool-calls-put-off':
      return { ...event, reason: cut(event.reason) };
    case 'changes-held-back':
      return { ...event, changes: event.changes.map(cutChange) };
    case 'request-opened':
      return { ...event, request: { ...event.request, subject: cutSubject(event.request.subject) } };
    case 'request-answered':
      return event.answer.kind === 'text'
        ? { ...event, answer: { kind: 'text', text: cut(event.answer.text) } }
        : event;
    default:
      return eventWithoutTalk(event);
  }
}

/** The event without what was said to and by a model, and what its tools gave back: no living state keeps any of it. */
export function eventWithoutTalk(event: SquadEvent): SquadEvent {
  switch (event.type) {
    case 'conversation-opened':
      return { ...event, instructions: '', brief: '' };
    case 'conversation-noted':
      return { ...event, text: '' };
    case 'model-call-ended':
      return { ...event, answer: { ...event.answer, text: '', toolCalls: [] } };
    case 'tool-call-ended':
      return { ...event, result: '' };
    default:
      return event;
  }
}

/** A copy of its own, which its holder may change. */
export function runWithoutBodies(run: RunView): Run {
  const { plan, ...rest } = run;
  // Readonly is gone with the copy: nobody else holds it.
  const copy = structuredClone({ ...rest, mail: emptyMail() }) as Run;
  copy.objective = cut(copy.objective);
  if (copy.reason !== undefined) {
    copy.reason = cut(copy.reason);
  }
  if (plan) {
    copy.plan = planWithoutBodies(structuredClone(plan) as ProjectPlan);
  }
  for (const [id, task] of Object.entries(copy.tasks)) {
    copy.tasks[id] = taskWithoutBodies(task);
  }
  for (const request of Object.values(copy.requests)) {
    request.subject = cutSubject(request.subject);
  }
  return copy;
}

function taskWithoutBodies(task: Task): Task {
  const { claim, progress, failure, ...rest } = specWithoutBodies(task);
  return {
    ...rest,
    checks: task.checks.map((check) => ({ ...check, summary: cut(check.summary), output: '' })),
    ...(claim ? { claim: { summary: cut(claim.summary) } } : {}),
    ...(progress ? { progress: { ...progress, note: cut(progress.note) } } : {}),
    ...(failure === undefined ? {} : { failure: cut(failure) }),
  };
}

function specWithoutBodies<Spec extends TaskSpec>(spec: Spec): Spec {
  const copy = { ...spec, description: '' };
  delete copy.input;
  return copy;
}

function planWithoutBodies(plan: ProjectPlan): ProjectPlan {
  return {
    ...plan,
    tasks: plan.tasks.map((task) => {
      const copy = { ...task, description: LEFT_OUT };
      delete copy.input;
      return copy;
    }),
  };
}

/** The confirmation shows the whole of it, from the living state; a list needs its beginning. */
function cutSubject(subject: DeepReadonly<RequestSubject>): RequestSubject {
  switch (subject.kind) {
    case 'plan':
      return { ...subject, checks: [] };
    case 'command': {
      const { runs, onFiles, ...rest } = subject;
      return {
        ...rest,
        command: cut(subject.command),
        why: cut(subject.why),
        ...(runs ? { runs: runs.map(({ name, sha256 }) => ({ name: cut(name), sha256 })) } : {}),
        ...(onFiles ? { onFiles: onFiles.map(cut) } : {}),
      };
    }
    case 'write': {
      const copy = { ...subject, path: cut(subject.path), why: cut(subject.why) };
      delete copy.texts;
      return copy;
    }
    case 'changes':
      return { ...subject, command: cut(subject.command), changes: subject.changes.slice(0, 20).map(cutChange) };
    case 'raise':
      return { ...subject };
    case 'read':
      return { ...subject, path: cut(subject.path), why: cut(subject.why) };
    case 'fetch':
      return { ...subject, url: cut(subject.url), why: cut(subject.why) };
    case 'server': {
      const { server, command, isSandboxed, network, isProtected, call } = subject;
      return {
        kind: 'server',
        ...{ server, command: cut(command), args: [], env: {}, why: '' },
        ...(call
          ? { call: { tool: { name: call.tool.name, description: '', schema: '' }, input: cut(call.input) } }
          : {}),
        ...(isSandboxed ? { isSandboxed } : {}),
        ...(network ? { network } : {}),
        ...(isProtected ? { isProtected } : {}),
      };
    }
    case 'question':
      return { ...subject, question: cut(subject.question), options: subject.options.slice(0, 20).map(cut) };
  }
}

function cutChange({ path, why }: DeepReadonly<HeldChange>): HeldChange {
  return { path: cut(path), why: cut(why) };
}

function cut(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 999)}…` : text;
}
