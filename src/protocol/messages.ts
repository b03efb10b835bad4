/** What another process of the same user may ask a squad's owner, and what a view and a squad say to each other. */
import * as z from 'zod';
import { parseEvent } from '../domain/events.ts';
import type { SquadState } from '../domain/squadState.ts';

export const processRequestSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('status') }),
  z.looseObject({ type: z.literal('stop') }),
]);
export type ProcessRequest = z.infer<typeof processRequestSchema>;

export const idSchema = z.string().min(1).max(200);
const ofRequest = z.tuple([idSchema]);
const ofRun = z.tuple([idSchema]);
const ofNothing = z.tuple([]);

/**
 * The only commands of the editor that a view may have run, with their arguments. Each asks the person itself before it
 * does anything that cannot be taken back: nothing a page says counts as the person's word.
 */
export const viewCommandSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('devsquad.answerApproval'), args: ofRequest }),
  z.strictObject({ command: z.literal('devsquad.approvePlan'), args: ofRun }),
  z.strictObject({ command: z.literal('devsquad.reviewChanges'), args: ofRun }),
  z.strictObject({ command: z.literal('devsquad.applyChanges'), args: ofRun }),
  z.strictObject({ command: z.literal('devsquad.createBranch'), args: ofRun }),
  z.strictObject({ command: z.literal('devsquad.discardChanges'), args: ofRun }),
  z.strictObject({ command: z.literal('devsquad.startRun'), args: ofNothing }),
]);
export type ViewCommand = z.infer<typeof viewCommandSchema>;

/** What every view may ask of its squad, in a page or in another process. */
export const squadRequestSchemas = [
  /** The view runs and holds nothing yet. */
  z.strictObject({ type: z.literal('ready') }),
  /** The view missed something after `sequence` and needs a new slice. */
  z.strictObject({ type: z.literal('catch-up'), sequence: z.number().int().min(0) }),
  z.strictObject({ type: z.literal('pause'), runId: idSchema }),
  z.strictObject({ type: z.literal('resume'), runId: idSchema }),
  /** Every run of the squad. */
  z.strictObject({ type: z.literal('emergency-stop') }),
  z.strictObject({ type: z.literal('recover') }),
  z.strictObject({ type: z.literal('refuse'), requestId: idSchema }),
] as const;

/** From a page to its squad. */
export const viewRequestSchema = z.discriminatedUnion('type', [
  ...squadRequestSchemas,
  z.strictObject({ type: z.literal('command'), command: viewCommandSchema }),
]);
export type ViewRequest = z.infer<typeof viewRequestSchema>;

const eventsSchema = z.array(z.unknown().transform((value) => parseEvent(value)));
/** Looked at only as far as needed to tell it from anything else: it was made by the extension that made the page. */
const stateSchema = z.custom<SquadState>(
  (value) => typeof value === 'object' && value !== null && 'runs' in value && 'standing' in value,
);

/** What is left to spend in the view's run: the squad knows what came before, and a view one run. Absent where nothing is foretold. */
const toGoSchema = z.strictObject({ words: z.string().max(300), record: z.number().int() }).exactOptional();

/** From a squad to a view. */
export const hostMessageSchema = z.discriminatedUnion('type', [
  /** All a view holds, anew. */
  z.object({ type: z.literal('slice'), state: stateSchema, events: eventsSchema, toGo: toGoSchema }),
  /** What happened since `after`, up to `through`; between the two, other runs' events may be missing. */
  z.object({
    type: z.literal('events'),
    after: z.number().int().min(0),
    through: z.number().int().positive(),
    events: eventsSchema,
    toGo: toGoSchema,
  }),
  /** A request of this view was not done; `message` is for the person. */
  z.object({ type: z.literal('refused'), message: z.string() }),
  /** There is no squad to show, or no longer; `message` says why. */
  z.object({ type: z.literal('no-squad'), message: z.string() }),
]);
export type HostMessage = z.infer<typeof hostMessageSchema>;
