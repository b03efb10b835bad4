/** The squad's working sessions, newest first: each run with what people decided in it and what mail came back, kept after its end. */
import type { DeepReadonly } from '../../base/deepReadonly.ts';
import { visibleText } from '../../base/visibleText.ts';
import { describeSubject, type AnswerDoor, type RequestAnswer } from '../../domain/approval.ts';
import { deadLettersOf, describeMessage } from '../../domain/message.ts';
import { describeRun, spentWords } from '../../domain/phaseWords.ts';
import type { RunView, SquadView } from '../../domain/squadState.ts';
import { answerIcon, runIcon, undeliveredIcon } from './look.ts';
import type { TreeLook, TreeNode } from './squadTree.ts';

export function drawSessions(state: SquadView): TreeLook {
  return { nodes: Object.values(state.runs).reverse().map(nodeOf) };
}

function nodeOf(run: RunView): TreeNode {
  const state = describeRun(run);
  const decisions = Object.values(run.requests).flatMap(({ id, subject, answer, door, grantedBy }): TreeNode[] =>
    answer
      ? [
          {
            id,
            label: `${answerWords(answer)}: ${describeSubject(subject)}`,
            description: howAnswered(door, grantedBy),
            tooltip: describeSubject(subject),
            icon: answerIcon(answer.kind),
          },
        ]
      : [],
  );
  const undelivered = deadLettersOf(run.messages).map((letter) => deadLetterNode(letter, run.phase !== 'ended'));
  const children = [...undelivered, ...decisions];
  return {
    // Another node where mail came back, so that VS Code opens it also when the run was folded.
    id: undelivered.length > 0 ? `${run.id}.undelivered` : run.id,
    // What to do about it comes first: a side bar is too narrow for both.
    label: state.charAt(0).toUpperCase() + state.slice(1),
    description: run.objective,
    tooltip: [run.objective, state, run.reason, spentWords(run)].filter(Boolean).join('\n'),
    icon: runIcon(run),
    context: contextOf(run),
    subject: { runId: run.id },
    spoken: `${run.objective}, ${state}`,
    ...(children.length > 0 ? { children, folded: undelivered.length === 0 } : {}),
  };
}

/** A message that nobody got, with why; it can be sent again while the run goes on. */
function deadLetterNode(
  { id, sender, receiver, content, deadLetter }: RunView['messages'][string],
  isUnderWay: boolean,
): TreeNode {
  const text = visibleText(describeMessage(content));
  return {
    id: `dead.${id}`,
    label: `Not delivered to ${receiver.id}`,
    description: `from ${sender.id} · ${text.split('\n')[0] ?? ''}`,
    tooltip: `${deadLetter?.reason ?? ''}\n\n${text}`,
    icon: undeliveredIcon(),
    ...(isUnderWay ? { context: 'dead-letter' } : {}),
    subject: { messageId: id },
    spoken: `A message from ${sender.id} to ${receiver.id} was not delivered: ${deadLetter?.reason ?? ''}`,
  };
}

/** `run-kept`, `run-applied` …: which of the result's commands fit. */
function contextOf(run: RunView): string {
  if (run.phase !== 'ended') {
    return run.stopped ? 'run-stopped' : run.paused ? 'run-paused' : 'run-active';
  }
  const hasResult = (run.diff?.files.length ?? 0) > 0 && run.status === 'succeeded' && !run.settled;
  return hasResult ? `run-${run.outcome.kind}` : 'run-over';
}

function answerWords(answer: DeepReadonly<RequestAnswer>): string {
  switch (answer.kind) {
    case 'allow':
      return 'Allowed';
    case 'deny':
      return 'Refused';
    case 'text':
      return `“${answer.text}”`;
  }
}

function howAnswered(door: AnswerDoor | undefined, grantedBy: string | undefined): string {
  if (door === undefined) {
    return 'withdrawn';
  }
  return door === 'policy' ? (grantedBy === undefined ? 'by your setting' : 'as you allowed before') : `in the ${door}`;
}
