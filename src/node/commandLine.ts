/** What `devsquad` was asked to do, parsed from its arguments. Throws a UsageError that names what is wrong. */
import { parseArgs } from 'node:util';
import { agentTypeSchema } from '../domain/agent.ts';
import { approvalScopeSchema, type ApprovalScope } from '../domain/approval.ts';
import { messageOf, UsageError } from '../domain/errors.ts';
import type { BudgetLimits } from '../domain/budget.ts';
import { parseBudgets, type EnvelopeLimits } from '../domain/envelopes.ts';
import { hostEntrySchema } from '../domain/hosts.ts';
import { commandEntrySchema } from '../domain/policy.ts';
import { serverListSchema } from '../domain/mcpServer.ts';
import { parseLimits, type LimitChoice } from '../domain/limits.ts';
import { requestMinutesSchema, type AtEnd, type RunOptions } from '../domain/run.ts';

export const VERBS = ['run', 'resume', 'status', 'inbox', 'answer', 'rules', 'stop', 'replay', 'judge'] as const;
export type Verb = (typeof VERBS)[number];

/** How many a verb takes at most, besides options. */
const WORDS: Partial<Record<Verb, number>> = { run: 1, answer: 2, rules: 1 };

export interface CommandLine {
  readonly verb: Verb;
  readonly words: readonly string[];
  readonly workspace: string;
  readonly storage?: string;
  /** Of `replay`. */
  readonly run?: string;
  readonly json: boolean;
  /** False with `--no-sandbox`. */
  readonly sandbox: boolean;
  readonly model: RunOptions['model'];
  readonly roleModels?: NonNullable<RunOptions['roleModels']>;
  readonly fallback?: RunOptions['model'];
  readonly maxAgents: number;
  readonly budget: BudgetLimits;
  /** Of roles, agents and the day. */
  readonly envelopes?: EnvelopeLimits;
  /** What differs from the defaults. */
  readonly limits: LimitChoice;
  /** How long what an agent wants to do waits for an answer. */
  readonly requestMinutes?: number;
  readonly approve: readonly ApprovalScope[];
  /** Hosts of the web that agents may read from without a question. */
  readonly allowedCommands: readonly string[];
  readonly allowedHosts: readonly string[];
  /** MCP servers of the workspace that agents may ask to use. */
  readonly mcpServers: readonly string[];
  readonly atEnd: AtEnd;
}

export const USAGE = `devsquad run ["<objective>"] --workspace DIR [--storage DIR] [--model rehearsal|openai] [--base-url URL] [--model-name NAME] [--role-model ROLE=NAME]... [--fallback-model NAME]
             [--max-agents N] [--limit NAME=N]... [--budget-tokens N] [--budget-usd X] [--budget-minutes N] [--budget WHOSE.WHAT=N]...
             [--approve LIST] [--request-minutes N] [--allow-command WORDS]... [--allow-host NAME]... [--mcp NAME]... [--apply | --branch NAME | --keep] [--json]
devsquad resume  [--workspace DIR] [--storage DIR] [--json]   every unfinished run goes on
devsquad status  [--workspace DIR] [--storage DIR] [--json]   runs, agents, tasks, budgets, what waits
devsquad inbox   [--workspace DIR] [--storage DIR] [--json]   what waits for a person
devsquad answer  ID [allow|deny|TEXT]                         shows the request in full; only where standard input is a terminal
devsquad rules   [ID] [--workspace DIR] [--storage DIR] [--json]   what is allowed without asking; with its ID one is taken back
devsquad stop    [--workspace DIR]                            stops a running squad from another process
devsquad replay  --run ID [--workspace DIR] [--storage DIR] [--json]   plays a run again from its inputs; prints both hashes
devsquad judge   [--workspace DIR] < cases.json               what the guardrails say: {"id","verdict","reason"} a line
--approve is a comma list of plan, commands, writes, network; "all" is these four.
--budget takes run, role, role.NAME, agent or day, and tokens, usd, requests, minutes or toolMinutes: --budget day.usd=5.
Prices of models stand in ~/.devsquad/prices.json, dollars for a million tokens: {"openai/NAME": {"input": 2, "output": 8}}.
Agents run commands that begin with the words of an --allow-command without a question, as "npm test".
Agents read pages of hosts named with --allow-host without a question; *.NAME stands for every name below.
What an agent wants to do waits for an answer for ever, or with --request-minutes N for so long; then it counts as refused.
Agents may ask to use an MCP server of .vscode/mcp.json that --mcp names; --mcp NAME:network lets it reach the network.
Commands run in a sandbox where bubblewrap is installed, or on macOS; run and resume take --no-sandbox.`;

export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  const [name, ...words] = positionals;
  const verb = VERBS.find((known) => known === name);
  if (!verb) {
    throw new UsageError(name === undefined ? USAGE : `There is no verb "${name}".\n${USAGE}`);
  }
  if (verb === 'run' && values.workspace === undefined) {
    throw new UsageError('Say which folder to work on: --workspace DIR.');
  }
  if ([values.apply, values.keep, values.branch !== undefined].filter(Boolean).length > 1) {
    throw new UsageError('Choose one of --apply, --branch and --keep.');
  }
  if (words.length > (WORDS[verb] ?? 0)) {
    throw new UsageError(`"${words.at(-1) ?? ''}" is one word too many. Put an objective in quotes.`);
  }
  const tokens = optionalNumber('budget-tokens', values['budget-tokens']);
  const minutes = optionalNumber('budget-minutes', values['budget-minutes']);
  const usd = optionalDollars(values['budget-usd']);
  const { budget, ...envelopes } = parseBudgetList(values.budget);
  return {
    verb,
    words,
    workspace: values.workspace ?? process.cwd(),
    ...(values.storage === undefined ? {} : { storage: values.storage }),
    ...(values.run === undefined ? {} : { run: values.run }),
    json: values.json,
    sandbox: !values['no-sandbox'],
    model: parseModel(values.model, values['base-url'], values['model-name']),
    ...roleModelsOf(values),
    ...fallbackOf(values),
    maxAgents: Math.min(32, optionalNumber('max-agents', values['max-agents']) ?? 4),
    budget: {
      ...budget,
      ...(usd === undefined ? {} : { usd }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(minutes === undefined ? {} : { wallTimeMs: minutes * 60_000 }),
    },
    ...envelopes,
    limits: parseLimits(values.limit),
    ...requestMinutesOf(values['request-minutes']),
    approve: parseApprove(values.approve),
    allowedCommands: values['allow-command'].map(parseCommandEntry),
    allowedHosts: values['allow-host'].map(parseHost),
    mcpServers: parseServers(values.mcp),
    atEnd:
      values.branch === undefined ? { kind: values.apply ? 'apply' : 'keep' } : { kind: 'branch', name: values.branch },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        workspace: { type: 'string' },
        storage: { type: 'string' },
        run: { type: 'string' },
        model: { type: 'string', default: 'rehearsal' },
        'base-url': { type: 'string' },
        'model-name': { type: 'string' },
        'role-model': { type: 'string', multiple: true, default: [] },
        'fallback-model': { type: 'string' },
        'max-agents': { type: 'string' },
        limit: { type: 'string', multiple: true, default: [] },
        'budget-tokens': { type: 'string' },
        'budget-minutes': { type: 'string' },
        'budget-usd': { type: 'string' },
        budget: { type: 'string', multiple: true, default: [] },
        approve: { type: 'string', default: '' },
        'request-minutes': { type: 'string' },
        'allow-command': { type: 'string', multiple: true, default: [] },
        'allow-host': { type: 'string', multiple: true, default: [] },
        mcp: { type: 'string', multiple: true, default: [] },
        apply: { type: 'boolean', default: false },
        branch: { type: 'string' },
        keep: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'no-sandbox': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${messageOf(error)}\n${USAGE}`, { cause: error });
  }
}

function parseModel(door: string, baseUrl: string | undefined, name: string | undefined): RunOptions['model'] {
  if (door === 'rehearsal') {
    return { door };
  }
  if (door !== 'openai') {
    throw new UsageError(`There is no model door "${door}"; there are rehearsal and openai.`);
  }
  if (name === undefined) {
    throw new UsageError('Say which model: --model-name NAME. The key comes from OPENAI_API_KEY.');
  }
  if (baseUrl !== undefined && !/^https?:\/\//.test(baseUrl)) {
    throw new UsageError(`--base-url takes an http(s) address, not "${baseUrl}".`);
  }
  return { door, name, ...(baseUrl === undefined ? {} : { baseUrl }) };
}

/** At the same address, as all models of a run at a terminal. */
function roleModelsOf(values: ReturnType<typeof parse>['values']): Pick<CommandLine, 'roleModels'> {
  const given = values['role-model'].map((text) => {
    const end = text.indexOf('=');
    const [role, name] = [text.slice(0, end).trim(), text.slice(end + 1).trim()];
    const type = agentTypeSchema.safeParse(role);
    if (end < 0 || !type.success || name === '') {
      throw new UsageError(
        `--role-model takes ROLE=NAME with a role of ${agentTypeSchema.options.join(', ')}, not "${text}".`,
      );
    }
    return [type.data, parseModel('openai', values['base-url'], name)] as const;
  });
  if (given.length === 0) {
    return {};
  }
  if (values.model !== 'openai') {
    throw new UsageError('--role-model goes with --model openai.');
  }
  return { roleModels: Object.fromEntries(given) };
}

/** At the same address: whoever has the key of one does not send it elsewhere. */
function fallbackOf(values: ReturnType<typeof parse>['values']): { fallback?: RunOptions['model'] } {
  const name = values['fallback-model'];
  if (name === undefined) {
    return {};
  }
  if (values.model !== 'openai') {
    throw new UsageError('--fallback-model goes with --model openai.');
  }
  return { fallback: parseModel('openai', values['base-url'], name) };
}

function parseApprove(list: string): ApprovalScope[] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return [...new Set(names.flatMap((name) => (name === 'all' ? approvalScopeSchema.options : [parseScope(name)])))];
}

function parseCommandEntry(text: string): string {
  if (!commandEntrySchema.safeParse(text).success) {
    throw new UsageError(`--allow-command takes the first words of a command, such as "npm test", not "${text}".`);
  }
  return text;
}

function parseHost(text: string): string {
  const host = hostEntrySchema.safeParse(text.toLowerCase());
  if (!host.success) {
    throw new UsageError(
      `--allow-host takes a name such as docs.example.com, or *.example.com for every name below it, not "${text}".`,
    );
  }
  return host.data;
}

function requestMinutesOf(text: string | undefined): { requestMinutes?: number } {
  if (text === undefined) {
    return {};
  }
  const minutes = requestMinutesSchema.safeParse(Number(text));
  if (!minutes.success) {
    throw new UsageError(`--request-minutes takes a whole number of minutes from 1 to 43200, not "${text}".`);
  }
  return { requestMinutes: minutes.data };
}

function parseServers(entries: readonly string[]): string[] {
  const servers = serverListSchema.safeParse(entries);
  if (!servers.success) {
    throw new UsageError(
      `--mcp takes the name of a server in .vscode/mcp.json, such as docs or docs:network, not "${entries.join('", "')}".`,
    );
  }
  return servers.data;
}

function parseScope(name: string): ApprovalScope {
  const scope = approvalScopeSchema.safeParse(name);
  if (!scope.success) {
    throw new UsageError(`--approve knows plan, commands, writes, network and all, not "${name}".`);
  }
  return scope.data;
}

function optionalNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UsageError(`--${name} takes a whole number from 1, not "${text}".`);
  }
  return value;
}

function optionalDollars(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const value = Number(text.replace(/^\$/, ''));
  if (text.trim() === '' || !(value > 0) || value > 1_000_000_000) {
    throw new UsageError(`--budget-usd takes dollars above 0, as 2.50, not "${text}".`);
  }
  return value;
}

/** `--budget day.usd=5`, as often as wanted. */
function parseBudgetList(texts: readonly string[]): ReturnType<typeof parseBudgets> {
  const named = texts.map((text) => {
    const [name = '', value = ''] = text.split('=').map((part) => part.trim());
    const number = value === '' ? Number.NaN : Number(value);
    return [name, Number.isNaN(number) ? value : number] as const;
  });
  try {
    return parseBudgets(Object.fromEntries(named));
  } catch (error) {
    throw new UsageError(`--budget takes WHOSE.WHAT=NUMBER. ${messageOf(error)}`, { cause: error });
  }
}
