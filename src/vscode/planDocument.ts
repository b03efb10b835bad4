/** The plan as a document to read, with *Accept plan* and *Revise…* above it. It is drawn from the living state. */
import * as vscode from 'vscode';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { HumanError } from '../domain/errors.ts';
import { forecastWords } from '../domain/forecast.ts';
import { capsOf } from '../domain/phaseWords.ts';
import type { PlanTask, ProjectPlan } from '../domain/plan.ts';
import { describeCheck } from '../domain/proof.ts';
import { openRequests } from '../domain/requestState.ts';
import { currentRun, type RunView } from '../domain/squadState.ts';
import type { EditorSquad } from './editorSquad.ts';
import { plainInMarkdown } from './plainTexts.ts';

const SCHEME = 'devsquad-plan';

export class PlanDocuments implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable {
  private readonly squad: EditorSquad;
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  private readonly lensChanges = new vscode.EventEmitter<void>();
  private readonly registered: vscode.Disposable;

  readonly onDidChange = this.changes.event;
  readonly onDidChangeCodeLenses = this.lensChanges.event;

  constructor(squad: EditorSquad) {
    this.squad = squad;
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, this),
      squad.onDidChange(() => {
        for (const { uri } of vscode.workspace.textDocuments.filter((document) => document.uri.scheme === SCHEME)) {
          this.changes.fire(uri);
        }
        this.lensChanges.fire();
      }),
      this.changes,
      this.lensChanges,
    );
  }

  /** Opens the plan of the run, or of the current one. */
  async show(runId: string | undefined): Promise<void> {
    const run = runId === undefined ? currentRun(this.squad.state) : this.squad.state?.runs[runId];
    if (!run?.plan) {
      throw new HumanError('There is no plan yet: it opens by itself as soon as the planning agent has one.');
    }
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${run.id}/Plan.md` });
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: false });
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    const run = this.runOf(uri);
    return run?.plan
      ? plainInMarkdown(renderPlan(run, run.plan, this.forecastOf(run)))
      : 'This plan is gone: its run was removed.\n';
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const run = this.runOf(document.uri);
    const request = run && openRequests(run).find(({ subject }) => subject.kind === 'plan');
    if (!request) {
      return [];
    }
    const top = new vscode.Range(0, 0, 0, 0);
    return [
      new vscode.CodeLens(top, {
        title: '$(check) Accept plan…',
        command: 'devsquad.approvePlan',
        arguments: [run.id],
      }),
      new vscode.CodeLens(top, { title: '$(edit) Revise…', command: 'devsquad.revisePlan', arguments: [run.id] }),
    ];
  }

  dispose(): void {
    this.registered.dispose();
  }

  private forecastOf(run: RunView): string | undefined {
    return this.squad.state && forecastWords(this.squad.state, run);
  }

  private runOf(uri: vscode.Uri): RunView | undefined {
    return this.squad.state?.runs[uri.path.split('/')[1] ?? ''];
  }
}

type PlanView = DeepReadonly<ProjectPlan>;

/** Markdown for people: why a team, what will be true, then each task with its checks. */
function renderPlan(run: RunView, plan: PlanView, forecast: string | undefined): string {
  const caps = capsOf(run);
  return [
    `# ${run.objective}`,
    `Plan ${run.planRevision}${run.options.model.door === 'rehearsal' ? ' · rehearsal, prepared answers' : ''} · ${plan.tasks.length} ${plan.tasks.length === 1 ? 'task' : 'tasks'} · at most ${run.options.maxAgents} agents at once${caps === '' ? '' : ` · budget ${caps}`}`,
    ...(forecast === undefined ? [] : [`It will come to ${forecast}.`]),
    plan.summary,
    `**${plan.strategy === 'parallel' ? 'A team works on this side by side' : 'One agent does this best'}.** ${plan.why}`,
    ...plan.tasks.map((task) => renderTask(task)),
    '',
  ].join('\n\n');
}

function renderTask(task: DeepReadonly<PlanTask>): string {
  const facts = [
    `${task.role} agent, ${task.type}`,
    task.dependsOn.length > 0 ? `after ${task.dependsOn.join(', ')}` : 'can begin at once',
    task.writes.length > 0 ? `changes ${task.writes.map((glob) => `\`${glob}\``).join(', ')}` : 'changes no file',
  ];
  const checks = task.acceptance.map((check) => `- \`${describeCheck(check).replaceAll('`', 'ˋ')}\``);
  return [
    `## ${task.key}: ${task.title}`,
    facts.join(' · '),
    task.description,
    checks.length > 0
      ? `Done when the host has seen:\n\n${checks.join('\n')}`
      : 'The host checks nothing of this task.',
  ].join('\n\n');
}
