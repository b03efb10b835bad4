/** Everything that waits for a person, oldest first, over all runs. */
import { describeSubject } from '../../domain/approval.ts';
import { openRequests } from '../../domain/requestState.ts';
import type { SquadView } from '../../domain/squadState.ts';
import { requestIcon } from './look.ts';
import type { TreeLook } from './squadTree.ts';

export function drawApprovals(state: SquadView): TreeLook {
  const waiting = Object.values(state.runs).flatMap((run) => (run.phase === 'ended' ? [] : openRequests(run)));
  return {
    nodes: waiting.map((request) => ({
      id: request.id,
      label: describeSubject(request.subject),
      description: request.agentId ?? '',
      tooltip: describeSubject(request.subject),
      icon: requestIcon(request.subject.kind),
      context: request.subject.kind === 'plan' ? 'request-plan' : 'request',
      subject: { requestId: request.id, runId: request.runId },
      command: { command: 'devsquad.answerApproval', title: 'Answer…', arguments: [request.id] },
      spoken: `${describeSubject(request.subject)}, asked by ${request.agentId ?? 'the host'}, waits for you`,
    })),
    ...(waiting.length > 0 ? { summary: `${waiting.length} waiting` } : {}),
    badge: {
      value: waiting.length,
      tooltip: waiting.length === 1 ? '1 waits for you' : `${waiting.length} wait for you`,
    },
  };
}
