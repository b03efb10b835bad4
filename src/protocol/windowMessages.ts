/**
 * What a window or a terminal and the process that owns the squad say to each other over a line: first `attach`, then
 * numbered requests with an answer each, and in between what every view gets, a slice and events in order.
 */
import * as z from 'zod';
import { agentTypeSchema } from '../domain/agent.ts';
import { personRequestSchema, requestAnswerSchema, type PersonRequest } from '../domain/approval.ts';
import { parseEvent, type SquadEvent } from '../domain/events.ts';
import { messageContentSchema, messageTypeSchema, prioritySchema } from '../domain/message.ts';
import { runOptionsSchema } from '../domain/run.ts';
import { hostMessageSchema, idSchema, squadRequestSchemas } from './messages.ts';

/** Both ends must say the same: a window of another version cannot follow this one's events. */
export const WINDOW_VERSION = 2;

/** The first line; the token stands beside these. */
export const attachSchema = z.looseObject({
  type: z.literal('attach'),
  version: z.number().int(),
  host: z.enum(['terminal', 'editor']),
  /** Whole events, none left out: for who writes them all down. */
  everyEvent: z.boolean(),
});

const ofRun = { runId: idSchema };

export const windowRequestSchema = z.discriminatedUnion('type', [
  ...squadRequestSchemas,
  /** Says that the owner still answers. */
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({ type: z.literal('start'), objective: z.string().min(1).max(20_000), options: runOptionsSchema }),
  z.strictObject({ type: z.literal('stop-run'), ...ofRun }),
  z.strictObject({ type: z.literal('scale'), role: agentTypeSchema, count: z.number().int().min(0).max(32) }),
  z.strictObject({ type: z.literal('apply'), ...ofRun }),
  z.strictObject({ type: z.literal('branch'), ...ofRun, name: z.string().min(1).max(200) }),
  z.strictObject({ type: z.literal('discard'), ...ofRun }),
  z.strictObject({ type: z.literal('undo'), ...ofRun }),
  z.strictObject({ type: z.literal('file'), ...ofRun, side: z.enum(['before', 'after']), path: z.string().max(4096) }),
  z.strictObject({ type: z.literal('read'), sequence: z.number().int().positive() }),
  /** Asks for the request in full, with those that wait for the same, and for the nonce by which this line, once, may answer it. */
  z.strictObject({ type: z.literal('show'), requestId: idSchema }),
  z.strictObject({
    type: z.literal('answer'),
    requestId: idSchema,
    nonce: z.string().max(100),
    answer: requestAnswerSchema,
  }),
  z.strictObject({ type: z.literal('remove-rule'), ruleId: idSchema }),
  z.strictObject({
    type: z.literal('say'),
    messageId: idSchema,
    receiverId: idSchema,
    messageType: messageTypeSchema,
    content: messageContentSchema,
    priority: prioritySchema,
  }),
  z.strictObject({ type: z.literal('send-again'), messageId: idSchema, receiverId: idSchema.exactOptional() }),
]);
export type WindowRequest = z.infer<typeof windowRequestSchema>;

export const numberedRequestSchema = z.strictObject({ id: z.number().int().min(0), request: windowRequestSchema });

/** The number alone, of a request that is not known here. */
export const numberSchema = z.looseObject({ id: z.number().int() });

/** What the answer to a request holds; an empty object where nothing is named here. */
export interface WindowAnswers {
  readonly start: { readonly runId: string };
  readonly 'stop-run': { readonly runIds: readonly string[] };
  readonly 'emergency-stop': { readonly runIds: readonly string[] };
  readonly recover: { readonly runIds: readonly string[] };
  /** Absent where that side has no such file. */
  readonly file: { readonly base64?: string };
  readonly read: { readonly event: SquadEvent };
  readonly show: { readonly requests: readonly [PersonRequest, ...PersonRequest[]]; readonly nonce: string };
}
export type AnswerTo<Type extends WindowRequest['type']> = Type extends keyof WindowAnswers
  ? WindowAnswers[Type]
  : Readonly<Record<string, never>>;

/** Each answer as it is parsed by who asked. */
export const answerSchemas: { readonly [Type in keyof WindowAnswers]: z.ZodType<WindowAnswers[Type]> } = {
  start: z.object({ runId: z.string() }),
  'stop-run': z.object({ runIds: z.array(z.string()) }),
  'emergency-stop': z.object({ runIds: z.array(z.string()) }),
  recover: z.object({ runIds: z.array(z.string()) }),
  file: z.object({ base64: z.string().exactOptional() }),
  read: z.object({ event: z.unknown().transform((value) => parseEvent(value)) }),
  show: z.object({
    requests: z.tuple([personRequestSchema], personRequestSchema),
    nonce: z.string(),
  }),
};

/** What an owner says on a line that is attached. */
export const ownerMessageSchema = z.discriminatedUnion('type', [
  ...hostMessageSchema.options,
  z.object({ type: z.literal('attached') }),
  /** Done, and all that it changed is in the state from `sequence` on. */
  z.object({ type: z.literal('answered'), id: z.number().int(), sequence: z.number().int(), value: z.unknown() }),
  /** Not done; `forPerson` tells whether the message is meant to be read as it is. */
  z.object({ type: z.literal('failed'), id: z.number().int(), message: z.string(), forPerson: z.boolean() }),
  /** Said before or instead of `attached`; nothing more follows. */
  z.object({ type: z.literal('error'), message: z.string() }),
]);
export type OwnerMessage = z.infer<typeof ownerMessageSchema>;
