/** What comes to the person by itself: progress that can be stopped, a plan that waits, a question, the end of a run. */
import * as vscode from 'vscode';
import { describeSubject } from '../domain/approval.ts';
import { describeRun, plannedTasksOf, spentWords } from '../domain/phaseWords.ts';
import { openRequests } from '../domain/requestState.ts';
import type { RunView } from '../domain/squadState.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { EditorSquad } from './editorSquad.ts';
import { plainMessage } from './plainTexts.ts';

export class RunNotices implements vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly showPlan: (runId: string) => Promise<void>;
  private readonly listening: { dispose(): void };
  private readonly shown = new Set<string>();

  constructor(squad: EditorSquad, showPlan: (runId: string) => Promise<void>) {
    this.squad = squad;
    this.showPlan = showPlan;
    this.listening = squad.onDidAppend((event) => {
      this.take(event);
    });
  }

  /** Shows a run's progress until it has ended or is stopped; harmless when that is shown already. */
  follow(runId: string): void {
    if (this.shown.has(runId)) {
      return;
    }
    this.shown.add(runId);
    void vscode.window
      .withProgress(
        { location: vscode.ProgressLocation.Notification, title: 'DevSquad', cancellable: true },
        (progress, cancelled) => this.report(runId, progress, cancelled),
      )
      .then(() => this.shown.delete(runId));
  }

  dispose(): void {
    this.listening.dispose();
  }

  private take(event: SquadEvent): void {
    const run = this.squad.state?.runs[event.runId ?? ''];
    if (!run || !this.squad.speaksFor(run.id)) {
      return;
    }
    switch (event.type) {
      case 'run-started':
      case 'run-continued':
        this.follow(run.id);
        return;
      case 'request-opened':
        // An answer by the run's own policy follows in the same turn.
        setImmediate(() => {
          this.tellRequest(event.request.id, run.id);
        });
        return;
      case 'budget-warned':
        void vscode.window.showInformationMessage(event.message);
        return;
      case 'run-ended':
        tellEnd(run);
        return;
      default:
        return;
    }
  }

  private tellRequest(requestId: string, runId: string): void {
    const run = this.squad.state?.runs[runId];
    const request = run && openRequests(run).find(({ id }) => id === requestId);
    if (!request) {
      return;
    }
    if (request.subject.kind === 'plan') {
      // It says by itself what to do; a message beside it would only cover it.
      void this.showPlan(runId);
    } else if (request.subject.kind === 'raise') {
      offer(`${describeSubject(request.subject)}? The run stands still for it.`, {
        'Raise…': ['devsquad.answerApproval', requestId],
        'Refuse…': ['devsquad.refuseApproval', requestId],
      });
    } else if (request.subject.kind === 'question') {
      offer(`${request.agentId ?? 'The team'} asks: ${request.subject.question}`, {
        'Answer…': ['devsquad.answerApproval', requestId],
      });
    }
  }

  private report(
    runId: string,
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    cancelled: vscode.CancellationToken,
  ): Promise<void> {
    return new Promise((resolve) => {
      let told = 0;
      const draw = (): void => {
        const run = this.squad.state?.runs[runId];
        // What another process began just now may not have come to this window yet.
        if (!run && told === 0) {
          return;
        }
        if (!run || run.phase === 'ended' || run.stopped) {
          finish();
          return;
        }
        const percent = percentOf(run);
        progress.report({ message: messageOf(run), increment: Math.max(0, percent - told) });
        told = Math.max(told, percent);
      };
      const finish = (): void => {
        listening.dispose();
        stopping.dispose();
        resolve();
      };
      const listening = this.squad.onDidChange(draw);
      const stopping = cancelled.onCancellationRequested(() => {
        void vscode.commands.executeCommand('devsquad.emergencyStop');
      });
      draw();
    });
  }
}

function messageOf(run: RunView): string {
  const planned = plannedTasksOf(run);
  const proven = planned.filter(({ phase }) => phase === 'proven').length;
  const note = Object.values(run.tasks).findLast(({ phase, progress }) => phase === 'working' && progress)?.progress
    ?.note;
  const count = planned.length > 0 ? `${proven} of ${planned.length} tasks proven` : '';
  return plainMessage([describeRun(run), count, note].filter(Boolean).join(' · '));
}

/** Proven tasks of all; a twentieth for having begun. */
function percentOf(run: RunView): number {
  const planned = plannedTasksOf(run);
  const proven = planned.filter(({ phase }) => phase === 'proven').length;
  return planned.length === 0 ? 5 : 5 + (95 * proven) / planned.length;
}

function tellEnd(run: RunView): void {
  const objective = run.objective.trim().replace(/[.!]+$/, '');
  const files = run.diff?.files.length ?? 0;
  const cost = spentWords(run);
  switch (run.status) {
    case 'succeeded':
      offer(
        files === 0
          ? `Done: ${objective}. No file changes. ${cost}.`
          : `Done and proven: ${objective}. ${files} ${files === 1 ? 'file changes' : 'files change'} once you apply. ${cost}.`,
        files === 0
          ? {}
          : {
              Review: ['devsquad.reviewChanges', run.id],
              'Apply…': ['devsquad.applyChanges', run.id],
            },
      );
      return;
    case 'budget-reached':
      void vscode.window.showWarningMessage(plainMessage(run.reason ?? 'The budget is reached. All work is kept.'));
      return;
    default:
      void vscode.window.showErrorMessage(
        plainMessage(`The run failed: ${run.reason ?? 'no reason was given'} Your files were not touched.`),
      );
  }
}

/** A quiet message with buttons that run commands. */
function offer(message: string, buttons: Readonly<Record<string, readonly [command: string, argument: string]>>): void {
  void vscode.window.showInformationMessage(plainMessage(message), ...Object.keys(buttons)).then((clicked) => {
    const button = clicked === undefined ? undefined : buttons[clicked];
    return button && vscode.commands.executeCommand(...button);
  });
}
