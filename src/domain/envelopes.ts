/**
 * The envelopes that a call draws on, one inside the other: its run, its role in the run, its agent in the run, and the day
 * (in UTC, over all runs of the workspace). One list, so that no check, no warning and no raise knows them one by one.
 */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { agentTypeSchema } from './agent.ts';
import {
  budgetLimitsSchema,
  emptyAccount,
  refuseCall,
  type BudgetAccount,
  type BudgetLimits,
  type BudgetRefusal,
  type BudgetResource,
  type CallCost,
} from './budget.ts';
import { UsageError } from './errors.ts';
import { MICRO } from './prices.ts';

/** Limits by envelope: `role`, `role.coding`, `agent`, `day`; also `run` and `agent.ID` where a person raised them. */
export const envelopeLimitsSchema = z.record(z.string(), budgetLimitsSchema);
export type EnvelopeLimits = z.infer<typeof envelopeLimitsSchema>;

export interface Envelope {
  /** `run`, `role.coding`, `agent.coding-1`, `day`: where a raise of it is kept. */
  readonly key: string;
  /** Whose budget it is, as `the run’s`. */
  readonly of: string;
  readonly limits: DeepReadonly<BudgetLimits>;
  readonly account: DeepReadonly<BudgetAccount>;
}

/** The part of a run's options that says what it may spend. */
export type SpendingOptions = DeepReadonly<{ budget: BudgetLimits; envelopes?: EnvelopeLimits | undefined }>;

interface Spending {
  readonly options: SpendingOptions;
  /** What a person allowed more, by envelope. */
  readonly raised: DeepReadonly<EnvelopeLimits>;
  readonly account: DeepReadonly<BudgetAccount>;
  readonly accounts: DeepReadonly<Record<string, BudgetAccount>>;
}

/** Whose call it is, and on which day. */
export interface Drawer {
  readonly role: string;
  readonly agentId?: string | undefined;
  /** `2026-01-31`. */
  readonly day: string;
}

export const roleKey = (role: string): string => `role.${role}`;
export const agentKey = (agentId: string): string => `agent.${agentId}`;
/** The day of an event or a time, in UTC. */
export const dayOf = (iso: string): string => iso.slice(0, 10);

export function envelopesOf(
  { options, raised, account, accounts }: Spending,
  days: DeepReadonly<Record<string, BudgetAccount>>,
  { role, agentId, day }: Drawer,
): Envelope[] {
  const { envelopes = {} } = options;
  const part = (key: string, general: string, of: string): Envelope => ({
    key,
    of,
    limits: { ...(envelopes[key] ?? envelopes[general]), ...raised[key] },
    account: accounts[key] ?? emptyAccount(),
  });
  return [
    { key: 'run', of: 'the run’s', limits: budgetOf({ options, raised }), account },
    part(roleKey(role), 'role', `the ${role} agents’`),
    ...(agentId === undefined ? [] : [part(agentKey(agentId), 'agent', `${agentId}’s`)]),
    {
      key: 'day',
      of: 'today’s',
      limits: { ...envelopes['day'], ...raised['day'] },
      account: days[day] ?? emptyAccount(),
    },
  ];
}

export interface EnvelopeRefusal extends BudgetRefusal {
  readonly envelope: Envelope;
}

/** The first envelope that a call does not fit into; undefined when it fits into all. */
export function refuseIn(envelopes: readonly Envelope[], cost: CallCost): EnvelopeRefusal | undefined {
  for (const envelope of envelopes) {
    const refusal = refuseCall(envelope.limits, envelope.account, cost);
    if (refusal) {
      return { ...refusal, envelope };
    }
  }
  return undefined;
}

/** What the run itself may spend now. */
export function budgetOf({ options, raised }: Pick<Spending, 'options' | 'raised'>): DeepReadonly<BudgetLimits> {
  return { ...options.budget, ...raised['run'] };
}

/** With one limit set, in the account's unit. */
export function withLimit(
  raised: DeepReadonly<EnvelopeLimits>,
  key: string,
  resource: BudgetResource,
  limit: number,
): EnvelopeLimits {
  return { ...raised, [key]: { ...raised[key], [resource]: resource === 'usd' ? limit / MICRO : limit } };
}

/** Whether any money is limited. */
export function limitsMoney({ budget, envelopes = {} }: SpendingOptions): boolean {
  return [budget, ...Object.values(envelopes)].some(({ usd }) => usd !== undefined);
}

/** What people call a resource, and what one of it is. */
const RESOURCES: Readonly<Record<string, readonly [BudgetResource, unit: number]>> = {
  tokens: ['tokens', 1],
  usd: ['usd', 1],
  requests: ['requests', 1],
  minutes: ['wallTimeMs', 60_000],
  toolMinutes: ['toolTimeMs', 60_000],
};
const SCOPES = ['run', 'role', ...agentTypeSchema.options.map(roleKey), 'agent', 'day'];

/** Limits by name, `{"day.usd": 5, "role.coding.tokens": 100000}`; throws a UsageError with a sentence for what does not fit. */
export function parseBudgets(named: Readonly<Record<string, unknown>>): {
  budget: BudgetLimits;
  envelopes?: EnvelopeLimits;
} {
  const limits: Record<string, Record<string, number>> = {};
  for (const [name, value] of Object.entries(named)) {
    const [scope, word] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    const resource = Object.hasOwn(RESOURCES, word) ? RESOURCES[word] : undefined;
    if (!resource || !SCOPES.includes(scope)) {
      throw new UsageError(
        `There is no budget “${name}”. Write whose and of what, as day.usd or role.coding.tokens: one of ${SCOPES.join(', ')}, then one of ${Object.keys(RESOURCES).join(', ')}.`,
      );
    }
    const isWhole = word === 'tokens' || word === 'requests';
    if (typeof value !== 'number' || !(value > 0) || value > 1e12 || (isWhole && !Number.isInteger(value))) {
      throw new UsageError(
        `The budget ${name} takes ${isWhole ? 'a whole number from 1' : 'a number above 0'}, not “${String(value)}”.`,
      );
    }
    limits[scope] = { ...limits[scope], [resource[0]]: resource[1] === 1 ? value : Math.ceil(value * resource[1]) };
  }
  const { run = {}, ...envelopes } = envelopeLimitsSchema.parse(limits);
  return { budget: run, ...(Object.keys(envelopes).length > 0 ? { envelopes } : {}) };
}
