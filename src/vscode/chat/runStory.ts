/** One run told in a chat answer while it happens: the plan with its buttons, what moves, what waits, the result. */
import { spentWords, waitingGroups } from '../../domain/phaseWords.ts';
import type * as vscode from 'vscode';
import { plainMarkdown } from '../../base/plainMarkdown.ts';
import { describeSubject } from '../../domain/approval.ts';
import type { SquadEvent } from '../../domain/events.ts';
import { openRequests } from '../../domain/requestState.ts';
import type { RunView } from '../../domain/squadState.ts';
import { lineOf } from '../../host/eventLines.ts';
import type { EditorSquad } from '../editorSquad.ts';

export type StoryEnd = 'ended' | 'stopped' | 'left';

/** Resolves when the run ends or is stopped, or when the person stops listening; the run then goes on. */
export function tellRun(
  squad: EditorSquad,
  runId: string,
  stream: vscode.ChatResponseStream,
  token: vscode.CancellationToken,
): Promise<StoryEnd> {
  return new Promise((resolve) => {
    const told = new Set<string>();
    const runNow = (): RunView | undefined => squad.state?.runs[runId];
    const finish = (end: StoryEnd): void => {
      listening.dispose();
      leaving.dispose();
      resolve(end);
    };
    const tellWaiting = (): void => {
      const run = runNow();
      if (!run) {
        return;
      }
      for (const group of waitingGroups(run)) {
        if (group.every(({ id }) => !told.has(id))) {
          tellRequest(run, group[0], stream);
        }
        for (const { id } of group) {
          told.add(id);
        }
      }
    };
    const take = (event: SquadEvent): void => {
      if (event.runId !== runId || !squad.state) {
        return;
      }
      if (event.type === 'request-opened') {
        // An answer by the run's own policy follows in the same turn.
        setImmediate(tellWaiting);
      } else if (event.type === 'run-ended') {
        finish('ended');
      } else if (event.type === 'run-stopped') {
        finish('stopped');
      } else if (event.type !== 'plan-submitted' && event.type !== 'run-started') {
        const line = lineOf(event, squad.state);
        if (line !== undefined) {
          stream.progress(plainMarkdown(line.trim()));
        }
      }
    };
    const listening = squad.onDidAppend(take);
    const leaving = token.onCancellationRequested(() => {
      finish('left');
    });
    tellWaiting();
    if (runNow()?.phase === 'ended') {
      finish('ended');
    }
  });
}

function tellRequest(
  run: RunView,
  request: ReturnType<typeof openRequests>[number],
  stream: vscode.ChatResponseStream,
): void {
  if (request.subject.kind === 'plan') {
    tellPlan(run, stream);
  } else {
    stream.markdown(
      `\n\n**${request.agentId ?? 'The host'}** waits for you: ${plainMarkdown(describeSubject(request.subject))}\n\n`,
    );
    stream.button({ command: 'devsquad.answerApproval', title: 'Answer…', arguments: [request.id] });
  }
}

/** The plan in short; its document has everything. */
export function tellPlan(run: RunView, stream: vscode.ChatResponseStream): void {
  const { plan } = run;
  if (!plan) {
    stream.markdown('There is no plan yet.');
    return;
  }
  const tasks = plan.tasks.map(
    ({ key, title, role, dependsOn }) =>
      `- **${plainMarkdown(key)}** ${plainMarkdown(title)} (${role}${dependsOn.length > 0 ? `, after ${plainMarkdown(dependsOn.join(', '))}` : ''})`,
  );
  stream.markdown(
    `**Plan ${run.planRevision}.** ${plainMarkdown(plan.summary)}\n\n${plainMarkdown(plan.why)}\n\n${tasks.join('\n')}\n\n`,
  );
  stream.button({ command: 'devsquad.openPlan', title: 'Read the plan', arguments: [run.id] });
  if (openRequests(run).some(({ subject }) => subject.kind === 'plan')) {
    stream.button({ command: 'devsquad.approvePlan', title: 'Accept plan…', arguments: [run.id] });
    stream.button({ command: 'devsquad.revisePlan', title: 'Revise…', arguments: [run.id] });
  }
}

/** How the run ended, what it changes, what can be done with it. */
export function tellResult(run: RunView, stream: vscode.ChatResponseStream): void {
  const files = run.diff?.files ?? [];
  const cost = spentWords(run);
  if (run.status !== 'succeeded') {
    stream.markdown(
      `\n\n**${run.status === 'budget-reached' ? 'The budget is reached' : 'The run failed'}.** ${plainMarkdown(run.reason ?? '')} Your files were not touched. ${cost}.\n\n`,
    );
    return;
  }
  const rows = files.map(
    ({ path, status, added, removed }) => `- ${status} ${plainMarkdown(path)} +${added} −${removed}`,
  );
  const proofs = Object.values(run.tasks).flatMap(({ checks }) => checks.filter(({ passed }) => passed)).length;
  stream.markdown(
    `\n\n**Done and proven**: ${proofs} checks passed on the exact trees. ${cost}.\n\n${rows.join('\n') || 'No file changes.'}\n\n`,
  );
  if (files.length > 0) {
    stream.button({ command: 'devsquad.reviewChanges', title: 'Review', arguments: [run.id] });
    stream.button({ command: 'devsquad.applyChanges', title: 'Apply…', arguments: [run.id] });
    stream.button({ command: 'devsquad.createBranch', title: 'Make a branch…', arguments: [run.id] });
    stream.button({ command: 'devsquad.discardChanges', title: 'Discard…', arguments: [run.id] });
  }
}
