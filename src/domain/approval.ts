/** What waits for a person. One queue for all agents; an answer counts once, whichever door it came through. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import { visibleText } from '../base/visibleText.ts';
import { budgetResourceSchema, callCostSchema, describeAmount } from './budget.ts';
import { fileTextsSchema, heldChangeSchema, type AllowedChange } from './fileChange.ts';
import { mcpServerSchema, ownVariablesOf } from './mcpServer.ts';
import { acceptanceCheckSchema } from './proof.ts';

/** What `--approve` and its setting can answer ahead; protected requests are never among them. */
export const approvalScopeSchema = z.enum(['plan', 'commands', 'writes', 'network']);
export type ApprovalScope = z.infer<typeof approvalScopeSchema>;

/** Only a person's own answer counts: no flag, setting or rule gives it ahead. */
const isProtected = { isProtected: z.literal(true).optional() };

/** What a sandbox lets a command reach; without one it reaches whatever the person does. */
const commandReachSchema = z.object({
  isSandboxed: z.literal(true).optional(),
  /** Granted with the command. */
  network: z.literal(true).optional(),
});
export type CommandReach = z.infer<typeof commandReachSchema>;

/** A text of the workspace that a command runs: a script of a package, a makefile, a file named as a program. */
const runTextSchema = z.object({
  name: z.string(),
  sha256: z.string(),
  /** Absent where it cannot be read, or is too long for anybody to read. */
  text: z.string().optional(),
});
export type RunText = z.infer<typeof runTextSchema>;

/** What a check comes to where it is a command. */
const checkRunSchema = z.object({ command: z.string(), runs: z.array(runTextSchema) });
export type CheckRun = z.infer<typeof checkRunSchema>;

export const requestSubjectSchema = z.discriminatedUnion('kind', [
  /** The plan and, with it, exactly the acceptance commands it shows. */
  z.object({
    kind: z.literal('plan'),
    revision: z.number().int(),
    summary: z.string(),
    checks: z.array(z.object({ taskKey: z.string(), check: acceptanceCheckSchema, run: checkRunSchema.optional() })),
    isSandboxed: z.literal(true).optional(),
  }),
  z.object({
    kind: z.literal('command'),
    command: z.string(),
    cwd: z.string(),
    why: z.string(),
    /** The host runs it as a check of a task: allowed once, it is in the whole run. */
    isCheck: z.literal(true).optional(),
    /** As they were when it was asked: whoever allows more than this call allows it with these. */
    runs: z.array(runTextSchema).optional(),
    /** The words that stay where nothing but files of the workspace follows them. */
    onFiles: z.array(z.string()).optional(),
    ...commandReachSchema.shape,
    /** Files with secrets lie where it runs, and nobody knows what it reads. */
    mayReadSecrets: z.literal(true).optional(),
    ...isProtected,
  }),
  z.object({
    kind: z.literal('write'),
    path: z.string(),
    why: z.string(),
    texts: fileTextsSchema.optional(),
    /** Of what a file with secrets gets: what it had is written down nowhere. */
    sha256: z.string().optional(),
    ...isProtected,
  }),
  /** What a command that was allowed did to protected files. It is put back until somebody allows it. */
  z.object({
    kind: z.literal('changes'),
    command: z.string(),
    changes: z.array(heldChangeSchema),
    isProtected: z.literal(true),
  }),
  z.object({ kind: z.literal('read'), path: z.string(), why: z.string(), ...isProtected }),
  /** More of a budget, in the account's unit: money in micro-dollars. */
  z.object({
    kind: z.literal('raise'),
    envelope: z.string(),
    /** Whose it is, as `the run’s`. */
    of: z.string(),
    resource: budgetResourceSchema,
    limit: z.number(),
    to: z.number(),
    used: z.number(),
    needed: z.number(),
    /** Of the call that stands still. */
    cost: callCostSchema,
    isProtected: z.literal(true),
  }),
  /** `url` as it is sent; `address` is what its host was resolved to, and nothing else is connected to. */
  z.object({
    kind: z.literal('fetch'),
    method: z.literal('GET'),
    url: z.string(),
    host: z.string(),
    address: z.string(),
    why: z.string(),
    ...isProtected,
  }),
  /** An MCP server is started, to ask what it offers or, with `call`, to call a tool of it. */
  z.object({
    kind: z.literal('server'),
    server: z.string(),
    ...mcpServerSchema.pick({ command: true, args: true, env: true }).shape,
    why: z.string(),
    runs: z.array(runTextSchema).optional(),
    call: z
      .object({
        /** As its server described it when it was asked. */
        tool: z.object({ name: z.string(), description: z.string(), schema: z.string() }),
        /** The arguments, as JSON. */
        input: z.string(),
      })
      .optional(),
    ...commandReachSchema.shape,
    mayReadSecrets: z.literal(true).optional(),
    ...isProtected,
  }),
  z.object({ kind: z.literal('question'), question: z.string(), options: z.array(z.string()) }),
]);
export type RequestSubject = z.infer<typeof requestSubjectSchema>;

export const personRequestSchema = z.object({
  id: z.string(),
  runId: z.string(),
  taskId: z.string().optional(),
  agentId: z.string().optional(),
  subject: requestSubjectSchema,
  /** SHA-256 of what will happen: requests with the same one ask for the same. Absent where only its own answer fits. */
  effect: z.string().optional(),
  /** Minutes after which it counts as refused where nobody answered; without it waits for ever. */
  expiresAfter: z.number().optional(),
});
export type PersonRequest = z.infer<typeof personRequestSchema>;

/** What a person allows beyond the one call. */
export const grantSchema = z.object({
  /** For how long: the rest of the task, of the run, or of all runs in this workspace until the rule ends. */
  reach: z.enum(['task', 'run', 'workspace']),
  /** The same again; the same words with other files of the workspace; other files of a folder; a tool with other arguments. */
  what: z.enum(['same', 'files', 'folder', 'tool']),
});
export type Grant = z.infer<typeof grantSchema>;

export const requestAnswerSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('allow'),
    grant: grantSchema.optional(),
    /** Ids of requests for the same that the person saw beside it. */
    also: z.array(z.string()).max(200).optional(),
  }),
  z.object({ kind: z.literal('deny'), reason: z.string().max(2000).optional() }),
  z.object({ kind: z.literal('text'), text: z.string().max(20_000) }),
]);
export type RequestAnswer = z.infer<typeof requestAnswerSchema>;

/** What a person allowed for all runs in the workspace. */
export const ruleSchema = z.object({
  id: z.string(),
  what: z.enum(['same', 'files', 'tool']),
  subject: requestSubjectSchema,
  effect: z.string(),
  /** ISO 8601. */
  until: z.string(),
});
export type Rule = z.infer<typeof ruleSchema>;

/** Which door an answer came through. `policy` is the run's own `--approve` list. */
export const answerDoorSchema = z.enum(['terminal', 'editor', 'policy']);
export type AnswerDoor = z.infer<typeof answerDoorSchema>;

export interface RequestRecord extends PersonRequest {
  openedAt: string;
  sequence: number;
  answer?: RequestAnswer;
  door?: AnswerDoor;
  /** The request, or the rule, with which it was answered. */
  grantedBy?: string;
}

/** The scopes that together may answer a request ahead, or undefined where only a person can. */
export function scopesOf(subject: RequestSubject): readonly ApprovalScope[] | undefined {
  if ('isProtected' in subject && subject.isProtected) {
    return undefined;
  }
  switch (subject.kind) {
    case 'plan':
      return ['plan'];
    case 'command':
      return subject.network ? ['commands', 'network'] : ['commands'];
    case 'server':
      // What is the person's own is handed over by themselves.
      return ownVariablesOf(subject).length > 0 ? undefined : subject.network ? ['commands', 'network'] : ['commands'];
    case 'write':
      return ['writes'];
    case 'fetch':
      return ['network'];
    case 'read':
    case 'question':
      return undefined;
  }
}

/** What one agent wants to do: where nobody answers it can look for another way. What the run itself waits for is none of it. */
export function canExpire(subject: RequestSubject): boolean {
  const { kind } = subject;
  return kind === 'command' ? !subject.isCheck : kind !== 'plan' && kind !== 'raise' && kind !== 'question';
}

/** A request in short; characters that a person could not see are written as their code points. */
export function describeSubject(subject: DeepReadonly<RequestSubject>): string {
  return visibleText(shortWordsOf(subject));
}

function shortWordsOf(subject: DeepReadonly<RequestSubject>): string {
  switch (subject.kind) {
    case 'plan':
      return `Accept the plan: ${subject.summary}`;
    case 'command':
      return `Run ${subject.command}`;
    case 'write':
      return `Write ${subject.path}${subject.isProtected ? ', which is protected' : ', which the task did not declare'}`;
    case 'changes':
      return `Keep what a command made of ${subject.changes.map(({ path }) => path).join(', ')}`;
    case 'read':
      return `Read ${subject.path}`;
    case 'raise':
      return `Raise ${subject.of} budget from ${describeAmount(subject.resource, subject.limit)} to ${describeAmount(subject.resource, subject.to)}`;
    case 'fetch':
      return `Fetch ${subject.url}`;
    case 'server':
      return subject.call
        ? `Call ${subject.call.tool.name} of the MCP server ${subject.server}`
        : `Start the MCP server ${subject.server}`;
    case 'question':
      return subject.question;
  }
}

/** What a task was allowed to make of protected files, by their paths, in order. */
export function allowedChanges(
  requests: DeepReadonly<Record<string, RequestRecord>>,
  taskId: string,
): Map<string, DeepReadonly<AllowedChange>[]> {
  const allowed = new Map<string, DeepReadonly<AllowedChange>[]>();
  const allow = (path: string, change: DeepReadonly<AllowedChange>): void => {
    allowed.set(path, [...(allowed.get(path) ?? []), change]);
  };
  for (const { taskId: askedBy, subject, answer } of Object.values(requests)) {
    if (askedBy !== taskId || answer?.kind !== 'allow') {
      continue;
    }
    if (subject.kind === 'write' && subject.isProtected) {
      allow(subject.path, subject);
    } else if (subject.kind === 'changes') {
      for (const change of subject.changes) {
        allow(change.path, change);
      }
    }
  }
  return allowed;
}
