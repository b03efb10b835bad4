/** Everything that waits for a person, oldest first, over all runs; what waits for the same answer is one row. */
import { describeSubject } from '../../domain/approval.ts';
import { namesOfAskers, waitingGroups } from '../../domain/phaseWords.ts';
import type { SquadView } from '../../domain/squadState.ts';
import { requestIcon } from './look.ts';
import type { TreeLook } from './squadTree.ts';

export function drawApprovals(state: SquadView): TreeLook {
  const waiting = Object.values(state.runs).flatMap((run) => waitingGroups(run));
  return {
    nodes: waiting.map((group) => {
      const [{ id, runId, subject }] = group;
      const [what, who] = [describeSubject(subject), namesOfAskers(group)];
      return {
        id,
        label: what,
        description: who,
        tooltip: what,
        icon: requestIcon(subject.kind),
        context: subject.kind === 'plan' ? 'request-plan' : 'request',
        subject: { requestId: id, runId },
        command: { command: 'devsquad.answerApproval', title: 'Answer…', arguments: [id] },
        spoken: `${what}, asked by ${who}, waits for you`,
      };
    }),
    ...(waiting.length > 0 ? { summary: `${waiting.length} waiting` } : {}),
    badge: {
      value: waiting.length,
      tooltip: waiting.length === 1 ? '1 waits for you' : `${waiting.length} wait for you`,
    },
  };
}
