/** DevSquad's settings as a run's options, read nowhere else. Every setting here has application scope: a workspace cannot weaken a guard. */
import * as vscode from 'vscode';
import { agentTypeSchema, writtenByRoleSchema } from '../domain/agent.ts';
import { approvalScopeSchema, type ApprovalScope } from '../domain/approval.ts';
import type { BudgetLimits } from '../domain/budget.ts';
import { parseBudgets, type EnvelopeLimits } from '../domain/envelopes.ts';
import { HumanError, messageOf, SettingError } from '../domain/errors.ts';
import { commandListSchema } from '../domain/policy.ts';
import { allowedHostsSchema } from '../domain/hosts.ts';
import { serverListSchema } from '../domain/mcpServer.ts';
import { checkLimits, type LimitChoice } from '../domain/limits.ts';
import { parsePrices, type PriceTable } from '../domain/prices.ts';
import type { RunOptions } from '../domain/run.ts';

export type ModelChoice = RunOptions['model'];

export interface RunSettings {
  readonly maxAgents: number;
  readonly budget: BudgetLimits;
  /** Of roles, agents and the day. */
  readonly envelopes?: EnvelopeLimits;
  readonly prices: PriceTable;
  readonly warnAtPercent: number;
  readonly requestMinutes?: number;
  /** What differs from the defaults. */
  readonly limits: LimitChoice;
  readonly approve: readonly ApprovalScope[];
  readonly allowedCommands: readonly string[];
  readonly allowedHosts: readonly string[];
  /** MCP servers that agents may ask to use, in workspaces that define them. */
  readonly mcpServers: readonly string[];
  readonly roleModels?: NonNullable<RunOptions['roleModels']>;
  readonly fallback?: ModelChoice;
}

/** Throws a SettingError where one says what cannot be. */
export function readSettings(): RunSettings {
  const settings = vscode.workspace.getConfiguration('devsquad');
  const tokens = settings.get<number>('budget.tokens', 0);
  const minutes = settings.get<number>('budget.minutes', 0);
  const usd = settings.get<number>('budget.usd', 0);
  const requestMinutes = settings.get<number>('requestMinutes', 0);
  const { budget, ...envelopes } = guarded('devsquad.budgets', 'No run begins with these budgets.', () =>
    parseBudgets(settings.get<Record<string, unknown>>('budgets', {})),
  );
  return {
    maxAgents: Math.min(32, Math.max(1, Math.floor(settings.get<number>('maxAgents', 4)))),
    budget: {
      ...budget,
      ...(usd > 0 ? { usd } : {}),
      ...(tokens > 0 ? { tokens: Math.floor(tokens) } : {}),
      ...(minutes > 0 ? { wallTimeMs: Math.floor(minutes * 60_000) } : {}),
    },
    ...envelopes,
    prices: guarded('devsquad.prices', 'No run begins with these prices.', () =>
      parsePrices(settings.get('prices', {})),
    ),
    ...(requestMinutes > 0 ? { requestMinutes: Math.min(43_200, Math.max(1, Math.floor(requestMinutes))) } : {}),
    warnAtPercent: Math.min(100, Math.max(1, settings.get<number>('budgetWarningPercent', 80))),
    limits: guarded('devsquad.limits', 'No run begins with these limits.', () =>
      checkLimits(settings.get('limits', {})),
    ),
    approve: approvalScopeSchema.array().catch([]).parse(settings.get('approve')),
    allowedCommands: guarded(
      'devsquad.allowedCommands',
      'No run begins with this list of commands: each is the first words of one, such as npm test.',
      () => commandListSchema.parse(settings.get('allowedCommands', [])),
    ),
    allowedHosts: readHosts(settings.get('allowedHosts', [])),
    mcpServers: guarded(
      'devsquad.mcpServers',
      'No run begins with this list of MCP servers: each is a name such as docs, or docs:network.',
      () => serverListSchema.parse(settings.get('mcpServers', [])),
    ),
    ...readRoleModels(settings.get<unknown>('roleModels', {})),
    ...readFallback(settings.get<string>('fallbackModel', '').trim()),
  };
}

/** A guard that cannot be understood is said, never left out. */
function guarded<Value>(setting: string, what: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new SettingError(setting, `${what} ${messageOf(error)}`, { cause: error });
  }
}

function readHosts(value: unknown): string[] {
  const hosts = allowedHostsSchema.safeParse(value);
  if (!hosts.success) {
    throw new SettingError(
      'devsquad.allowedHosts',
      'No run begins with this list of hosts. Each is a name such as docs.example.com, or *.example.com for every name below it, in small letters.',
    );
  }
  return hosts.data;
}

/** Models of single roles, by the names of the roles. */
function readRoleModels(value: unknown): Pick<RunSettings, 'roleModels'> {
  return guarded('devsquad.roleModels', 'No run begins with these models of roles.', () => {
    const { data, error } = writtenByRoleSchema.safeParse(value);
    if (error) {
      throw new HumanError(
        `They are written by role, as {"coding": "openai:NAME"}; the roles are ${agentTypeSchema.options.join(', ')}.`,
      );
    }
    const { baseUrl } = writtenModel();
    const models = Object.entries(data).map(([role, text]) => [role, parseModel(text.trim(), baseUrl)]);
    // An empty text names none.
    return models.length === 0
      ? {}
      : { roleModels: Object.fromEntries(models) as NonNullable<RunOptions['roleModels']> };
  });
}

/** The second model, of the same endpoint where it is one. */
function readFallback(text: string): { fallback?: ModelChoice } {
  if (text === '') {
    return {};
  }
  try {
    return { fallback: parseModel(text, writtenModel().baseUrl) };
  } catch (error) {
    throw new SettingError('devsquad.fallbackModel', messageOf(error), { cause: error });
  }
}

/** Undefined until the person has chosen. Throws a HumanError where the setting names no model. */
export function readModel(): ModelChoice | undefined {
  const { model, baseUrl } = writtenModel();
  return model === '' ? undefined : parseModel(model, baseUrl);
}

/** The setting and the endpoint's address as they are written. */
export function writtenModel(): { readonly model: string; readonly baseUrl: string } {
  const settings = vscode.workspace.getConfiguration('devsquad');
  return { model: settings.get('model', '').trim(), baseUrl: settings.get('openai.baseUrl', '').trim() };
}

/** By itself: a model's name that nobody can read must not keep a run from going on. */
export function resumesAfterRestart(): boolean {
  return vscode.workspace.getConfiguration('devsquad').get<boolean>('resumeAfterRestart', true);
}

/** Whether commands run in a sandbox where there is one. */
export function isSandboxed(): boolean {
  return vscode.workspace.getConfiguration('devsquad').get<boolean>('sandbox', true);
}

/** A model as the setting and `devsquad.startRun` write it: `rehearsal`, `editor:VENDOR/ID` or `openai:NAME`. */
export function parseModel(text: string, baseUrl: string): ModelChoice {
  const [door = '', ...rest] = text.split(':');
  const name = rest.join(':').trim();
  if (door === 'rehearsal') {
    return { door };
  }
  if (door === 'editor' && name !== '') {
    return { door, name };
  }
  if (door === 'openai' && name !== '') {
    return { door, name, ...(baseUrl.trim() === '' ? {} : { baseUrl: baseUrl.trim() }) };
  }
  throw new HumanError(
    `“${text}” names no model. Write rehearsal, editor:VENDOR/ID or openai:NAME, or run “DevSquad: Select Model…”.`,
  );
}

/** The address first: whoever reads the settings in between must not send the new model's name to the old address. */
export async function writeModel({ door, name, baseUrl }: ModelChoice): Promise<void> {
  const settings = vscode.workspace.getConfiguration('devsquad');
  if (baseUrl !== undefined) {
    await settings.update('openai.baseUrl', baseUrl, true);
  }
  await settings.update('model', name === undefined ? door : `${door}:${name}`, true);
}
