/**
 * Every command of DevSquad, with its signature. Registered in one place, so that an error ends in one place: a sentence
 * for the person where there is one, the log and an apology otherwise.
 */
import * as vscode from 'vscode';
import { HumanError, messageOf, SettingError } from '../domain/errors.ts';
import type { Logger } from '../ports.ts';
import { plainMessage } from './plainTexts.ts';
import type { TreeSubject } from './trees/squadTree.ts';

type OnRun = (runId?: string) => Promise<void>;
type OnRequest = (requestId?: string) => Promise<void>;

export interface SquadCommands {
  'devsquad.startRun': (request?: unknown) => Promise<{ runId: string } | undefined>;
  'devsquad.openDashboard': () => Promise<void>;
  'devsquad.openPlan': OnRun;
  'devsquad.approvePlan': OnRun;
  'devsquad.revisePlan': OnRun;
  'devsquad.pauseRun': OnRun;
  'devsquad.resumeRun': OnRun;
  'devsquad.emergencyStop': () => Promise<void>;
  'devsquad.recover': () => Promise<void>;
  'devsquad.reviewChanges': OnRun;
  'devsquad.applyChanges': OnRun;
  'devsquad.createBranch': OnRun;
  'devsquad.discardChanges': OnRun;
  'devsquad.undoTo': OnRun;
  'devsquad.answerApproval': OnRequest;
  'devsquad.refuseApproval': OnRequest;
  'devsquad.showPolicy': () => Promise<void>;
  'devsquad.testCommand': () => Promise<void>;
  'devsquad.showRules': () => Promise<void>;
  'devsquad.sendAgain': (messageId?: string) => Promise<void>;
  'devsquad.scaleAgents': (agentId?: string) => Promise<void>;
  'devsquad.sendMessage': (agentId?: string) => Promise<void>;
  'devsquad.setApiKey': () => Promise<void>;
  'devsquad.selectModel': () => Promise<void>;
}

export function registerCommands(commands: SquadCommands, logger: Logger): vscode.Disposable {
  // The keys of an object literal that the compiler has checked against the map.
  const ids = Object.keys(commands) as (keyof SquadCommands)[];
  const registered = ids.map((id) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      try {
        if (id === 'devsquad.startRun') {
          return await commands[id](argument);
        }
        await commands[id](idOf(argument));
        return undefined;
      } catch (error) {
        tell(error, logger);
        // Whoever called with an argument of its own wants to know; for a person the message is enough.
        if (id === 'devsquad.startRun' && argument !== undefined) {
          throw error;
        }
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

/** What the command is about: an id, or a tree's node, which knows one. Anything else counts as nothing. */
function idOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') {
    return argument;
  }
  const subject = subjectOf(argument);
  return subject?.messageId ?? subject?.requestId ?? subject?.agentId ?? subject?.runId;
}

function subjectOf(argument: unknown): TreeSubject | undefined {
  // Only our own trees hand over an object with a subject.
  return typeof argument === 'object' && argument !== null && 'subject' in argument
    ? (argument.subject as TreeSubject | undefined)
    : undefined;
}

/** In a message for the person, and in the log where nobody foresaw it. */
export function tell(error: unknown, logger: Logger): void {
  if (error instanceof vscode.CancellationError) {
    return;
  }
  if (!(error instanceof HumanError)) {
    logger.error('A command failed', error);
  }
  if (error instanceof SettingError) {
    offerSetting(error);
    return;
  }
  const unforeseen = `Something unforeseen went wrong: ${messageOf(error)} Nothing acknowledged is lost; the log says more.`;
  // Not waited for: the command is over, the message may stay.
  void vscode.window.showErrorMessage(plainMessage(error instanceof HumanError ? error.message : unforeseen));
}

function offerSetting({ message, setting }: SettingError): void {
  const open = 'Open the Setting';
  void vscode.window
    .showErrorMessage(plainMessage(message), open)
    .then((clicked) => clicked && vscode.commands.executeCommand('workbench.action.openSettings', `@id:${setting}`));
}
