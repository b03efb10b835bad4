import * as vscode from 'vscode';
import { HumanError } from '../domain/errors.ts';
import { openRequests } from '../domain/requestState.ts';
import { currentRun, type RunView } from '../domain/squadState.ts';
import { systemClock } from '../host/clock.ts';
import type { Logger } from '../ports.ts';
import { registerChatParticipant } from './chat/chatParticipant.ts';
import { registerCommands } from './commands.ts';
import { keepContextKeys } from './contextKeys.ts';
import { EditorSquad } from './editorSquad.ts';
import { GoingOn } from './goingOn.ts';
import { Links } from './links.ts';
import { DashboardPanel } from './panels/dashboardPanel.ts';
import { PlanDocuments } from './planDocument.ts';
import { PolicyView } from './policyView.ts';
import { RequestDocuments } from './requestDocument.ts';
import { ResultFiles } from './review/resultFiles.ts';
import { RunNotices } from './runNotices.ts';
import { SquadStatusBar } from './statusBar.ts';
import { drawAgents } from './trees/agentsTree.ts';
import { drawApprovals } from './trees/approvalsTree.ts';
import { drawSessions } from './trees/sessionsTree.ts';
import { SquadTree } from './trees/squadTree.ts';
import { drawTasks } from './trees/tasksTree.ts';

let squad: EditorSquad | undefined;

/** Called by VS Code once per window. Registers what the manifest promises and returns without waiting for anything. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('DevSquad', { log: true });
  const logger: Logger = {
    info: (message) => {
      log.info(message);
    },
    warn: (message) => {
      log.warn(message);
    },
    error: (message, cause) => {
      log.error(message, cause ?? '');
    },
  };
  const editorSquad = new EditorSquad(context, logger);
  squad = editorSquad;
  const plans = new PlanDocuments(editorSquad);
  const requests = new RequestDocuments(editorSquad);
  const policy = new PolicyView(editorSquad);
  const files = new ResultFiles(editorSquad);
  const notices = new RunNotices(editorSquad, (runId) => plans.show(runId));
  const goingOn = new GoingOn(editorSquad, notices, logger);
  const dashboard = new DashboardPanel({
    extensionUri: context.extensionUri,
    squad: () => editorSquad.current,
    onDidChangeSquad: editorSquad.onDidOpenOrClose,
    clock: systemClock,
    logger,
    execute: async ({ command, args }) => {
      await vscode.commands.executeCommand(command, ...args);
    },
  });
  context.subscriptions.push(
    log,
    editorSquad,
    plans,
    requests,
    policy,
    files,
    notices,
    dashboard,
    keepContextKeys(editorSquad),
    new SquadStatusBar(editorSquad),
    new SquadTree('devsquad.agents', editorSquad, (state) =>
      drawAgents(state, editorSquad.current?.team.health() ?? [], systemClock.now()),
    ),
    new SquadTree('devsquad.tasks', editorSquad, drawTasks),
    new SquadTree('devsquad.sessions', editorSquad, drawSessions),
    new SquadTree('devsquad.approvals', editorSquad, drawApprovals),
    registerChatParticipant(editorSquad, context),
    registerCommands(commandsOf(editorSquad, context, { plans, requests, policy, files, dashboard, notices }), logger),
    new Links(editorSquad, logger),
    goingOn,
  );
  goingOn.begin();
}

/** Called by VS Code before it ends the extension host; may not be called at all. */
export function deactivate(): Promise<void> | undefined {
  return squad?.close();
}

function commandsOf(
  editorSquad: EditorSquad,
  { secrets }: vscode.ExtensionContext,
  {
    plans,
    requests,
    policy,
    files,
    dashboard,
    notices,
  }: {
    plans: PlanDocuments;
    requests: RequestDocuments;
    policy: PolicyView;
    files: ResultFiles;
    dashboard: DashboardPanel;
    notices: RunNotices;
  },
): Parameters<typeof registerCommands>[0] {
  const runOf = (runId: string | undefined): RunView => {
    const run = runId === undefined ? currentRun(editorSquad.state) : editorSquad.state?.runs[runId];
    if (!run) {
      throw new HumanError('There is no run yet. Start one with “DevSquad: Start a Run…”.');
    }
    return run;
  };
  const planRequestOf = (runId: string | undefined): string => {
    const request = openRequests(runOf(runId)).find(({ subject }) => subject.kind === 'plan');
    if (!request) {
      throw new HumanError('No plan waits for you now.');
    }
    return request.id;
  };
  // What only a click needs is loaded with it: every start of a window pays for the rest.
  const resultActions = () => import('./review/resultActions.ts');
  const answers = () => import('./requests.ts');
  return {
    'devsquad.startRun': async (request) => {
      const { startRun } = await import('./startRun.ts');
      const started = await startRun(editorSquad, secrets, request);
      if (started) {
        notices.follow(started.runId);
      }
      return started;
    },
    'devsquad.openDashboard': async () => {
      dashboard.openDashboard();
      // Earlier runs are shown by a squad that is open.
      if (editorSquad.state && vscode.workspace.isTrusted) {
        await editorSquad.open();
      }
    },
    'devsquad.openPlan': (runId) => plans.show(runId),
    'devsquad.approvePlan': async (runId) =>
      (await answers()).answerRequest(editorSquad, requests, planRequestOf(runId)),
    'devsquad.revisePlan': async (runId) => (await answers()).revisePlan(editorSquad, planRequestOf(runId)),
    'devsquad.pauseRun': async (runId) => (await editorSquad.open()).runs.pause(runOf(runId).id),
    'devsquad.resumeRun': async (runId) => (await editorSquad.open()).runs.resume(runOf(runId).id, 'editor'),
    'devsquad.emergencyStop': async () => {
      await editorSquad.current?.runs.stopAll('editor');
    },
    'devsquad.recover': async () => {
      const { runs, ledger } = await editorSquad.open();
      const inTrouble = Object.values(ledger.state.standing.agents).some(({ status }) => status === 'error');
      if ((await runs.resumeAll('editor')).length === 0 && !inTrouble) {
        throw new HumanError('Nothing is unfinished: there is nothing to recover.');
      }
    },
    'devsquad.reviewChanges': async (runId) => files.review(runOf(runId)),
    'devsquad.applyChanges': async (runId) => (await resultActions()).applyChanges(editorSquad, runOf(runId)),
    'devsquad.createBranch': async (runId) => (await resultActions()).createBranch(editorSquad, runOf(runId)),
    'devsquad.discardChanges': async (runId) => (await resultActions()).discardChanges(editorSquad, runOf(runId)),
    'devsquad.undoTo': async (runId) => (await resultActions()).undoResult(editorSquad, runOf(runId)),
    'devsquad.answerApproval': async (requestId) => (await answers()).answerRequest(editorSquad, requests, requestId),
    'devsquad.refuseApproval': async (requestId) => (await answers()).refuseRequest(editorSquad, requestId),
    'devsquad.showPolicy': () => policy.show(),
    'devsquad.testCommand': () => policy.testCommand(),
    'devsquad.showRules': async () => (await answers()).showRules(editorSquad),
    'devsquad.scaleAgents': async (agentId) => (await import('./scaleAgents.ts')).scaleAgents(editorSquad, agentId),
    'devsquad.sendMessage': async (agentId) => (await import('./sendMessage.ts')).sendMessage(editorSquad, agentId),
    'devsquad.sendAgain': async (messageId) => (await import('./sendAgain.ts')).sendAgain(editorSquad, messageId),
    'devsquad.setApiKey': async () => (await import('./selectModel.ts')).setApiKey(secrets),
    'devsquad.selectModel': async () => {
      const { selectModel } = await import('./selectModel.ts');
      const chosen = await selectModel(secrets);
      if (chosen) {
        void vscode.window.showInformationMessage(
          `The team uses ${chosen.name ?? 'the rehearsal'} from the next run on.`,
        );
      }
    },
  };
}
