/** How states and roles look in trees: form first, and four colours with four meanings. */
import * as vscode from 'vscode';
import type { AgentType } from '../../domain/agent.ts';
import type { RequestAnswer, RequestSubject } from '../../domain/approval.ts';
import type { RunView } from '../../domain/squadState.ts';
import type { Mark } from '../../domain/phaseWords.ts';

/** Blue moves, amber waits for a person, green is proven, red failed; everything else is grey. */
const MOVES = 'charts.blue';
const WAITS = 'charts.yellow';
const PROVEN = 'charts.green';
const FAILED = 'charts.red';

const MARKS: Readonly<Record<Mark, readonly [icon: string, color?: string]>> = {
  waiting: ['clock'],
  ready: ['circle-outline'],
  working: ['sync', MOVES],
  you: ['account', WAITS],
  proving: ['checklist', MOVES],
  merging: ['git-merge', MOVES],
  proven: ['pass-filled', PROVEN],
  failed: ['error', FAILED],
  paused: ['debug-pause'],
  cancelled: ['circle-slash'],
};

const ROLES: Readonly<Record<AgentType, string>> = {
  planning: 'compass',
  coding: 'code',
  testing: 'beaker',
  research: 'telescope',
  deployment: 'rocket',
};

const SUBJECTS: Readonly<Record<RequestSubject['kind'], string>> = {
  plan: 'compass',
  command: 'terminal',
  write: 'edit',
  changes: 'lock',
  read: 'eye',
  fetch: 'globe',
  server: 'plug',
  question: 'question',
  raise: 'credit-card',
};

const ANSWERS: Readonly<Record<RequestAnswer['kind'], string>> = {
  allow: 'check',
  deny: 'circle-slash',
  text: 'comment',
};

export function markIcon(mark: Mark): vscode.ThemeIcon {
  return icon(...MARKS[mark]);
}

/** An agent's icon is its role; its colour is what its task does. */
export function agentIcon(type: AgentType, mark: Mark | undefined): vscode.ThemeIcon {
  return icon(ROLES[type], mark === undefined ? undefined : MARKS[mark][1]);
}

export function requestIcon(kind: RequestSubject['kind']): vscode.ThemeIcon {
  return icon(SUBJECTS[kind], WAITS);
}

export function runIcon(run: RunView): vscode.ThemeIcon {
  if (run.phase !== 'ended') {
    return run.stopped || run.paused
      ? icon('debug-pause')
      : run.phase === 'awaiting-approval'
        ? icon('account', WAITS)
        : icon('sync', MOVES);
  }
  switch (run.status) {
    case 'succeeded':
      return run.outcome.kind === 'discarded' ? icon('circle-slash') : icon('pass-filled', PROVEN);
    case 'budget-reached':
      return icon('account', WAITS);
    case 'failed':
      return icon('error', FAILED);
    default:
      return icon('debug-stop');
  }
}

export function answerIcon(kind: RequestAnswer['kind']): vscode.ThemeIcon {
  return icon(ANSWERS[kind]);
}

export function undeliveredIcon(): vscode.ThemeIcon {
  return icon('mail', FAILED);
}

export function checkIcon(passed: boolean | undefined): vscode.ThemeIcon {
  return passed === undefined ? icon('circle-outline') : passed ? icon('pass-filled', PROVEN) : icon('error', FAILED);
}

function icon(name: string, color?: string): vscode.ThemeIcon {
  return new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
}
