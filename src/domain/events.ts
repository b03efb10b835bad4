/**
 * Everything that can happen, one versioned union in one envelope. An *input* came from the world (a model answered, a
 * tool ended, a person decided); a *consequence* was decided by our code from inputs and the living state.
 */
import * as z from 'zod';
import { agentIdentitySchema, agentTroubleSchema, agentTypeSchema } from './agent.ts';
import { answerDoorSchema, personRequestSchema, requestAnswerSchema, ruleSchema } from './approval.ts';
import { heldChangeSchema } from './fileChange.ts';
import { budgetResourceSchema, callCostSchema, usageSchema } from './budget.ts';
import { modelAnswerSchema } from './conversation.ts';
import { deadCauseSchema, letterSchema, PERSON_ID, RUNTIME_ID, storedMessageSchema } from './message.ts';
import { projectPlanSchema } from './plan.ts';
import { checkResultSchema } from './proof.ts';
import { diffSummarySchema, runOptionsSchema, runStatusSchema, runUsageSchema, seedSchema } from './run.ts';
import { taskSpecSchema, toolEffectSchema } from './task.ts';
import { EVENT_UPCASTS, upcast, type Upcasts } from './upcasts/upcast.ts';

/** Shape of the events below. A change of shape raises it and adds a file to `upcasts/`. */
export const EVENT_VERSION = 1;

const input = <Shape extends z.ZodRawShape>(shape: Shape) => ({ input: true as const, fields: z.object(shape) });
const consequence = <Shape extends z.ZodRawShape>(shape: Shape) => ({ input: false as const, fields: z.object(shape) });

/** One row per type, in the order of a run's life. */
export const EVENT_TYPES = {
  /** First record of an owner: what it took over, so that nothing later of older epochs is ever read. */
  'ledger-opened': input({
    fromEpoch: z.number().int(),
    lastSequence: z.number().int(),
    lastCrc: z.number().int(),
    host: z.enum(['terminal', 'editor']),
  }),

  'run-started': input({ objective: z.string(), options: runOptionsSchema }),
  'run-paused': input({}),
  'run-resumed': input({}),
  /** A person stopped the run; it stays unfinished and `resume` takes it up again. */
  'run-stopped': input({ door: answerDoorSchema }),
  'run-continued': input({ door: answerDoorSchema }),
  'repository-seeded': input({ seed: seedSchema }),

  'plan-submitted': consequence({ plan: projectPlanSchema, revision: z.number().int() }),
  'plan-accepted': consequence({ requestId: z.string() }),
  'plan-revision-asked': consequence({ requestId: z.string(), comment: z.string() }),

  'agent-created': consequence({ agent: agentIdentitySchema }),
  'agent-destroyed': consequence({ agentId: z.string(), reason: z.string() }),
  /** Somebody chose how many agents of a role there are; 0: as many as the queue asks for. */
  'pool-scaled': input({ agentType: agentTypeSchema, count: z.number().int().min(0) }),
  /** It ends the task it has, and goes then. */
  'agent-draining': consequence({ agentId: z.string(), reason: z.string() }),
  /** The timer of an agent that nobody needed fired. */
  'agent-idled': input({ agentId: z.string(), idleMs: z.number() }),
  /** Worktree and brief stand; the agent works. */
  'agent-began': consequence({ agentId: z.string() }),
  /** The timer fired: nothing was heard of the agent for `silentMs`. `chance` (0 to 1) is what its restart draws on. */
  'agent-silent': input({ agentId: z.string(), silentMs: z.number(), reason: z.string(), chance: z.number() }),
  /** The agent's code threw what none of its calls throws. */
  'agent-crashed': input({ agentId: z.string(), reason: z.string(), chance: z.number() }),
  /** Its conversation goes in circles although it was told so. */
  'agent-stuck': consequence({ agentId: z.string(), reason: z.string() }),
  'agent-restart-planned': consequence({
    agentId: z.string(),
    trouble: agentTroubleSchema,
    delayMs: z.number().min(0),
    /** Whether it reads its task anew or goes on in the conversation as it stands. */
    fresh: z.boolean(),
  }),
  /** The delay is over: the agent takes its task up from the ledger. What its earlier start still does counts no more. */
  'agent-restarted': input({ agentId: z.string(), fresh: z.boolean(), reason: z.string() }),
  /** Restarting did not help: its task went to somebody else or failed, and a person decides about the agent. */
  'agent-given-up': consequence({ agentId: z.string(), reason: z.string() }),
  'agent-recovered': input({ agentId: z.string() }),

  'task-created': consequence({ task: taskSpecSchema }),
  'task-ready': consequence({}),
  'task-delegated': consequence({
    agentId: z.string(),
    delegatedByAgentId: z.string().optional(),
    /** Why this agent: every candidate with its score between 0 and 1. */
    candidates: z.array(z.object({ agentId: z.string(), score: z.number(), reason: z.string() })),
  }),
  /** The worktree stands at `baseCommit`; the agent begins, or begins again with a higher attempt. */
  'task-started': input({ baseCommit: z.string().optional() }),
  'task-progressed': consequence({ percent: z.number().min(0).max(100).optional(), note: z.string() }),
  /** Its agent would finish and waits for what it handed on. */
  'task-split': consequence({}),
  /** All of that has ended and there is room: the agent goes on. */
  'task-rejoined': consequence({}),
  'task-claimed': consequence({ summary: z.string(), artifacts: z.unknown().optional() }),
  /** The worktree's content as a commit: what verification runs on. */
  'task-committed': input({ commit: z.string(), tree: z.string() }),
  'check-ended': input({ result: checkResultSchema }),
  'task-verified': consequence({ tree: z.string() }),
  /** Verification or the merge sent the task back to its owner. */
  'task-reopened': consequence({
    cause: z.enum(['claim', 'protected', 'checks', 'conflict', 'integration']),
    detail: z.string(),
  }),
  /** The worktree was moved on to the integration branch; files in conflict carry markers. */
  'task-rebased': input({ baseCommit: z.string(), conflicts: z.array(z.string()) }),
  'task-merged': input({ commit: z.string(), tree: z.string() }),
  'task-proven': consequence({ commit: z.string(), tree: z.string() }),
  'task-failed': consequence({ reason: z.string() }),
  'task-cancelled': consequence({ reason: z.string() }),
  /** A failed or lost try begins anew in a fresh worktree. */
  'task-retried': consequence({ reason: z.string() }),
  /** Its agent goes, or the host does, before it was tried to its end: ready again, and no try is used up. */
  'task-handed-back': consequence({ reason: z.string() }),

  'message-sent': consequence({ message: storedMessageSchema }),
  'message-delivered': consequence({ messageId: z.string() }),
  'message-acknowledged': consequence({ messageId: z.string() }),
  /** Its receiver could not take it; it rests for `delayMs`, which chance has chosen, and is tried again. */
  'message-refused': input({ messageId: z.string(), reason: z.string(), delayMs: z.number().min(0) }),
  /** The timer fired: it waits again. */
  'message-retried': input({ messageId: z.string() }),
  /** It became a dead letter. */
  'message-failed': consequence({ messageId: z.string(), reason: z.string(), cause: deadCauseSchema }),
  /** A person sent a dead letter again, to somebody else where a receiver is named. */
  'message-resent': input({ messageId: z.string(), receiverId: z.string().optional(), door: answerDoorSchema }),
  /** A person wrote to the team. */
  'person-wrote': input({ letter: letterSchema }),

  /** Opens an attempt's conversation: role and rules, then the task. */
  'conversation-opened': consequence({ instructions: z.string(), brief: z.string() }),
  /** The runtime says something to the agent: a nudge, or mail, which is processed by this very event. */
  'conversation-noted': consequence({ text: z.string(), messageId: z.string().optional() }),
  'model-call-started': consequence({
    callId: z.string(),
    model: z.string(),
    reservedTokens: z.number().int(),
    /** The part of it that is for the answer. */
    reservedOutputTokens: z.number().int().optional(),
    /** Absent where nobody knows the model's price. */
    reservedMicroUsd: z.number().int().optional(),
    /** Entries of the conversation of which something was left out, so that the model has room. */
    leftOut: z.number().int().positive().optional(),
  }),
  /**
   * A call that does not fit into the budget now, and was not begun: it waits for what calls under way give back, or for a
   * person's answer to a request.
   */
  'model-call-held': consequence({ cost: callCostSchema, requestId: z.string().optional() }),
  /** The person has answered, and the agent goes on. */
  'model-call-freed': consequence({}),
  /** It goes on by itself: the provider wants to be left alone until then, or is tried again then. */
  'model-call-parked': input({ callId: z.string(), until: z.string(), reason: z.string() }),
  'model-call-ended': input({ callId: z.string(), model: z.string(), answer: modelAnswerSchema, usage: usageSchema }),
  'model-call-failed': input({ callId: z.string(), kind: z.string(), message: z.string(), usage: usageSchema }),
  /** Durable before the effect begins. */
  'tool-call-started': consequence({
    callId: z.string(),
    step: z.number().int(),
    tool: z.string(),
    effect: toolEffectSchema,
  }),
  'tool-call-ended': input({
    callId: z.string(),
    step: z.number().int(),
    tool: z.string(),
    outcome: z.enum(['ok', 'failed', 'refused']),
    result: z.string(),
  }),

  /** Calls of an answer that were not begun, because mail came first; the model decides anew about each. */
  'tool-calls-put-off': consequence({
    calls: z.array(z.object({ callId: z.string(), tool: z.string() })).min(1),
    reason: z.string(),
  }),

  /** What had been made of protected files without leave was put back. */
  'changes-held-back': input({ changes: z.array(heldChangeSchema).min(1) }),

  'request-opened': consequence({ request: personRequestSchema }),
  'request-answered': input({
    requestId: z.string(),
    answer: requestAnswerSchema,
    door: answerDoorSchema,
    /** The request that a person answered with it, or the rule that answers it. */
    grantedBy: z.string().optional(),
  }),
  'request-withdrawn': consequence({ requestId: z.string(), reason: z.string() }),
  /** Nobody answered in the time that the run gives: it counts as refused. */
  'request-expired': input({ requestId: z.string(), reason: z.string() }),
  /** A person allows something in all runs of the workspace. */
  'rule-saved': input({ rule: ruleSchema, door: answerDoorSchema }),
  /** Of its run as well where it names one. */
  'rule-removed': input({ ruleId: z.string(), door: answerDoorSchema }),

  'budget-reached': consequence({
    resource: budgetResourceSchema,
    message: z.string(),
    envelope: z.string().optional(),
    /** What the call would have needed that was refused. */
    cost: callCostSchema.optional(),
  }),
  /** Money in micro-dollars. */
  'budget-warned': consequence({
    envelope: z.string(),
    resource: budgetResourceSchema,
    used: z.number(),
    limit: z.number(),
    message: z.string(),
  }),
  /** Time the run was at work since the last such event; written now and then and when work pauses. */
  'work-clocked': input({ workedMs: z.number().min(0) }),

  /** What the run's options ask for at its end could not be done; the result is kept. */
  'result-refused': input({ reason: z.string() }),
  'run-ended': consequence({
    status: runStatusSchema,
    reason: z.string().optional(),
    usage: runUsageSchema,
    diff: diffSummarySchema.optional(),
  }),
  /** Durable before the first file of the working tree changes. The door is `policy` where nobody clicked. */
  'apply-started': input({ paths: z.array(z.string()), door: answerDoorSchema }),
  'apply-ended': input({ applied: z.boolean(), detail: z.string() }),
  /** Durable before the first file of the working tree changes back. */
  'apply-undo-started': input({ door: answerDoorSchema }),
  'apply-undo-ended': input({ undone: z.boolean(), detail: z.string() }),
  'branch-created': input({ name: z.string(), commit: z.string(), door: answerDoorSchema }),
  'branch-undone': input({ door: answerDoorSchema }),
  /** Durable before the run's folder moves to the trash, as `discard-undone` before it moves back. */
  'run-discarded': input({ door: answerDoorSchema }),
  'discard-undone': input({ door: answerDoorSchema }),
  /** The hour of undo is over: what became of the result stays. Durable before the run's folder is deleted. */
  'run-settled': consequence({}),
  /** The run's folder is gone and only its summary remains. */
  'run-archived': consequence({ reason: z.string() }),
} as const;

export type EventType = keyof typeof EVENT_TYPES;
type Shape<Type extends EventType> = z.infer<(typeof EVENT_TYPES)[Type]['fields']>;
/** An event without fields of its own is inferred as a record of nothing, which no event could be. */
type Fields<Type extends EventType> = Shape<Type> extends Record<string, never> ? unknown : Shape<Type>;

export const actorSchema = z.object({ kind: z.enum(['agent', 'person', 'runtime']), id: z.string() });
export type Actor = z.infer<typeof actorSchema>;
export const RUNTIME: Actor = { kind: 'runtime', id: RUNTIME_ID };
export const PERSON: Actor = { kind: 'person', id: PERSON_ID };

export const envelopeSchema = z.object({
  version: z.literal(EVENT_VERSION),
  /** Position in the ledger, from 1, without gaps. */
  sequence: z.number().int().positive(),
  /** Which owner wrote it. */
  epoch: z.number().int().positive(),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  runId: z.string().optional(),
  taskId: z.string().optional(),
  attempt: z.number().int().positive().optional(),
  actor: actorSchema,
  /** The event that this one answers to; set by the code that handles the cause. */
  causedBy: z.number().int().positive().optional(),
  decisionId: z.string().optional(),
  input: z.boolean(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** An event in the ledger. */
export type SquadEvent = { [Type in EventType]: Envelope & { type: Type } & Fields<Type> }[EventType];
export type EventOf<Type extends EventType> = Extract<SquadEvent, { type: Type }>;

type Stamped = 'version' | 'sequence' | 'epoch' | 'at' | 'input';
/** An event before the ledger has stamped it. */
export type EventDraft = {
  [Type in EventType]: Omit<Envelope, Stamped> & { type: Type } & Fields<Type>;
}[EventType];

const typedEnvelopeSchema = envelopeSchema.extend({ type: z.enum(Object.keys(EVENT_TYPES) as [EventType]) });
const versionSchema = z.looseObject({ version: z.number().int() });

/**
 * Parses what a journal, an archive or a socket gave, and brings an event of an older version to today's shape. Throws a
 * ZodError that names the field.
 */
export function parseEvent(value: unknown, steps: Upcasts = EVENT_UPCASTS): SquadEvent {
  const { version } = versionSchema.parse(value);
  const current = upcast(value, version, EVENT_VERSION, steps)?.value ?? value;
  const envelope = typedEnvelopeSchema.parse(current);
  const fields = EVENT_TYPES[envelope.type].fields.parse(current);
  // Both halves are parsed; only the tie between `type` and its fields is lost to the compiler.
  return { ...envelope, ...fields } as SquadEvent;
}
