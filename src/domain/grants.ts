/**
 * What a person can allow beyond the one call that asks, and what is allowed by that later. A protected request is asked each
 * time: nothing here answers it.
 */
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { CommandReach, Grant, PersonRequest, RequestSubject, Rule } from './approval.ts';
import { commandLineOf } from './mcpServer.ts';
import type { Run } from './run.ts';

/** How long a rule holds. A run that begins with it ends with it. */
const RULE_DAYS = 30;
/** Somebody must be able to read through them. */
export const MOST_RULES = 100;

type Asked = DeepReadonly<Pick<PersonRequest, 'subject' | 'effect' | 'taskId'>>;

/** Canonical text of what will happen if it is allowed; undefined where each asker needs an answer of its own. */
export function effectText(subject: DeepReadonly<RequestSubject>): string | undefined {
  switch (subject.kind) {
    case 'command': {
      // What became protected meanwhile is another question.
      const { kind, command, cwd, isSandboxed, network, isProtected, runs = [] } = subject;
      const texts = runs.map(({ name, sha256 }) => [name, sha256]);
      return JSON.stringify([kind, command, cwd, isSandboxed, network, isProtected, texts]);
    }
    case 'write':
      // That a task did not declare a file is asked about the file, that it is protected about its text.
      return JSON.stringify([
        subject.kind,
        subject.path,
        ...(subject.isProtected ? [subject.texts?.before, subject.texts?.after, subject.sha256] : []),
      ]);
    case 'changes':
      return JSON.stringify([subject.kind, subject.changes]);
    case 'read':
      return JSON.stringify([subject.kind, subject.path]);
    case 'fetch':
      return JSON.stringify([subject.kind, subject.method, subject.url, subject.address, subject.isProtected]);
    case 'server':
      return JSON.stringify([serverText(subject), subject.call?.input]);
    case 'plan':
    case 'question':
    case 'raise':
      return undefined;
  }
}

/** What of a server's request stays the same whatever its tool is called with. */
function serverText(subject: DeepReadonly<RequestSubject & { kind: 'server' }>): string {
  const { kind, server, command, args, env, isSandboxed, network, isProtected, runs = [], call } = subject;
  const texts = runs.map(({ name, sha256 }) => [name, sha256]);
  const variables = Object.entries(env).sort(([one], [other]) => (one < other ? -1 : 1));
  const tool = call && [call.tool.name, call.tool.description, call.tool.schema];
  return JSON.stringify([kind, server, command, args, variables, isSandboxed, network, isProtected, texts, tool]);
}

/** What can be allowed beyond this call, the least first; nothing for what must be looked at each time. */
export function offersOf({ subject }: Asked): Grant[] {
  if ('isProtected' in subject && subject.isProtected) {
    return [];
  }
  if (subject.kind === 'command') {
    const files: Grant[] = subject.onFiles
      ? [
          { reach: 'run', what: 'files' },
          { reach: 'workspace', what: 'files' },
        ]
      : [];
    return isKnown(subject)
      ? [
          { reach: 'task', what: 'same' },
          { reach: 'run', what: 'same' },
          { reach: 'workspace', what: 'same' },
          ...files,
        ]
      : [];
  }
  if (subject.kind === 'server') {
    const what = subject.call ? 'tool' : 'same';
    return isKnown(subject) ? (['task', 'run', 'workspace'] as const).map((reach) => ({ reach, what })) : [];
  }
  if (subject.kind !== 'write' || !isPlainPath(subject.path)) {
    return [];
  }
  return [
    { reach: 'task', what: 'same' },
    ...(folderOf(subject.path) === undefined
      ? []
      : [
          { reach: 'task' as const, what: 'folder' as const },
          { reach: 'run' as const, what: 'folder' as const },
        ]),
  ];
}

/** Whether all that runs was shown. */
function isKnown({
  runs = [],
}: {
  readonly runs?: readonly { readonly text?: string | undefined }[] | undefined;
}): boolean {
  return runs.every(({ text }) => text !== undefined);
}

export function isOffered(asked: Asked, grant: DeepReadonly<Grant>): boolean {
  return offersOf(asked).some(({ reach, what }) => reach === grant.reach && what === grant.what);
}

/** A grant in words that follow "Allow". */
export function describeGrant({ subject }: Asked, { reach, what }: DeepReadonly<Grant>): string {
  return `${wordsOfWhat(subject, what)}, ${REACH[reach]}`;
}

/** A grant as one of several to choose from: what sets it apart, and below it what is allowed then. */
export function choiceOf({ subject }: Asked, { reach, what }: DeepReadonly<Grant>): { label: string; detail: string } {
  return { label: `${WHAT[what]}, ${REACH[reach]}`, detail: wordsOfWhat(subject, what) };
}

const WHAT: Readonly<Record<Grant['what'], string>> = {
  same: 'Just this',
  files: 'This with any files of the workspace',
  folder: 'Any file in this folder',
  tool: 'This tool, whatever it is called with',
};

const REACH: Readonly<Record<Grant['reach'], string>> = {
  task: 'for the rest of this task',
  run: 'for the rest of this run',
  workspace: `as a rule of this workspace for ${RULE_DAYS} days`,
};

function reachInWords({ isSandboxed, network }: DeepReadonly<CommandReach>): string[] {
  return [isSandboxed ? 'in the sandbox' : 'without a sandbox', ...(network ? ['with the network'] : [])];
}

/** A rule in words. */
export function describeRule({ subject, what, until }: DeepReadonly<Rule>): string {
  return `${wordsOfWhat(subject, what)}, until ${until.slice(0, 10)}`;
}

function wordsOfWhat(subject: DeepReadonly<RequestSubject>, what: Grant['what']): string {
  if (subject.kind === 'write') {
    return what === 'folder' ? `any file in ${folderOf(subject.path) ?? ''}/` : subject.path;
  }
  if (subject.kind === 'server') {
    const { server, call } = subject;
    const words = call
      ? `${call.tool.name} of the MCP server ${server} with any arguments`
      : `starting the MCP server ${server}`;
    return [
      `${words} (${commandLineOf(subject)})`,
      ...reachInWords(subject),
      `while ${call ? 'it, its program and the tool’s description are' : 'it and its program are'} unchanged`,
    ].join(', ');
  }
  if (subject.kind !== 'command') {
    return '';
  }
  const words =
    what === 'files' ? `${subject.onFiles?.join(' ') ?? ''} with any files of the workspace` : subject.command;
  return [
    subject.cwd === '.' ? words : `${words} in ${subject.cwd}`,
    ...reachInWords(subject),
    ...((subject.runs ?? []).length > 0 ? ['while what it runs is unchanged'] : []),
  ].join(', ');
}

/** Who allowed that already: the id of a request of the run, or of a rule. */
export function grantedBy(run: DeepReadonly<Pick<Run, 'requests' | 'rules'>>, asked: Asked): string | undefined {
  const request = Object.values(run.requests).find(
    (given) =>
      given.answer?.kind === 'allow' &&
      (isCheckOf(given, asked) || (given.answer.grant !== undefined && covers(given, given.answer.grant, asked))),
  );
  return request?.id ?? run.rules.find((rule) => covers(rule, { reach: 'workspace', what: rule.what }, asked))?.id;
}

/**
 * A plan that was accepted allows the host to run its checks, as they were shown with it, in the whole run; so does the answer
 * about a check. Agents who run the same by themselves are asked.
 */
function isCheckOf({ subject: plan, effect }: Asked, { subject, ...other }: Asked): boolean {
  if (subject.kind !== 'command' || !subject.isCheck) {
    return false;
  }
  if (plan.kind === 'command') {
    return plan.isCheck === true && effect !== undefined && effect === other.effect;
  }
  if (plan.kind !== 'plan' || subject.isProtected || subject.network) {
    return false;
  }
  const asked = effectText(subject);
  const { isSandboxed } = plan;
  return plan.checks.some(
    ({ run }) =>
      run &&
      asked === effectText({ kind: 'command', cwd: '.', why: '', ...run, ...(isSandboxed ? { isSandboxed } : {}) }),
  );
}

/** Whether what was allowed of one request is what another one asks for. */
export function covers(given: Asked, { reach, what }: DeepReadonly<Grant>, asked: Asked): boolean {
  if (
    ('isProtected' in asked.subject && asked.subject.isProtected) ||
    (reach === 'task' && given.taskId !== asked.taskId)
  ) {
    return false;
  }
  const [one, other] = [given.subject, asked.subject];
  switch (what) {
    case 'same':
      return given.effect !== undefined && given.effect === asked.effect;
    case 'files':
      return (
        one.kind === 'command' &&
        other.kind === 'command' &&
        one.onFiles !== undefined &&
        other.onFiles !== undefined &&
        effectText({ ...one, command: JSON.stringify(one.onFiles) }) ===
          effectText({ ...other, command: JSON.stringify(other.onFiles) })
      );
    case 'tool':
      return one.kind === 'server' && other.kind === 'server' && serverText(one) === serverText(other);
    case 'folder': {
      const folder = one.kind === 'write' ? folderOf(one.path) : undefined;
      return (
        folder !== undefined && other.kind === 'write' && isPlainPath(other.path) && other.path.startsWith(`${folder}/`)
      );
    }
  }
}

/** A request's grant as a rule that begins now (milliseconds since 1970). */
export function ruleOf(
  request: DeepReadonly<PersonRequest>,
  { what }: DeepReadonly<Grant>,
  now: number,
): Rule | undefined {
  const { subject } = request;
  if ((subject.kind !== 'command' && subject.kind !== 'server') || what === 'folder' || request.effect === undefined) {
    return undefined;
  }
  const { runs, ...rest } = structuredClone(subject) as RequestSubject & { kind: 'command' | 'server' };
  return {
    id: `rule-${request.effect.slice(0, 12)}-${what}`,
    what,
    // What they said was read when it was asked.
    subject: { ...rest, ...(runs ? { runs: runs.map(({ name, sha256 }) => ({ name, sha256 })) } : {}) },
    effect: request.effect,
    until: new Date(now + RULE_DAYS * 86_400_000).toISOString(),
  };
}

/** Rules that a run which begins now begins with. */
export function rulesAt(rules: DeepReadonly<Record<string, Rule>>, now: number): Rule[] {
  return structuredClone(Object.values(rules).filter(({ until }) => Date.parse(until) > now)) as Rule[];
}

/** Requests for the same, each group with the oldest first; the order of the oldest is kept. */
export function groupsOf<Request extends Asked>(requests: readonly Request[]): (readonly [Request, ...Request[]])[] {
  const groups = new Map<string | Request, [Request, ...Request[]]>();
  for (const request of requests) {
    const key = request.effect ?? request;
    const group = groups.get(key);
    if (group) {
      group.push(request);
    } else {
      groups.set(key, [request]);
    }
  }
  return [...groups.values()];
}

function folderOf(path: string): string | undefined {
  const end = path.lastIndexOf('/');
  return end > 0 ? path.slice(0, end) : undefined;
}

/** A file's own name and no glob. */
function isPlainPath(path: string): boolean {
  return !/[*?[\]{}()!]/.test(path) && !path.split('/').includes('..');
}
