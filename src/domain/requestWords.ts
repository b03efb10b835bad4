/** One request in full, as every door shows it before a person answers: who asks for what, and what allowing it means. */
import { quotedLines, visibleText } from '../base/visibleText.ts';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { AnswerDoor, CommandReach, PersonRequest, RequestRecord, RequestSubject, RunText } from './approval.ts';
import { describeAmount } from './budget.ts';
import { describeTexts } from './fileDiff.ts';
import { commandLineOf, ownVariablesOf } from './mcpServer.ts';
import { namesOfAskers } from './phaseWords.ts';
import { describeCheck } from './proof.ts';

export interface RequestWords {
  readonly title: string;
  readonly paragraphs: readonly string[];
}

/**
 * Characters that a person could not see are written as their code points. `same`: what waits for the same and is answered
 * with it. `forecast`: what the run of a plan will come to, in words.
 */
export function describeRequest(
  request: DeepReadonly<PersonRequest>,
  same: readonly DeepReadonly<PersonRequest>[] = [],
  forecast?: string,
): RequestWords {
  const { title, paragraphs } = wordsOf(request);
  const others =
    same.length === 0
      ? []
      : [`${namesOfAskers(same)} ${same.length === 1 ? 'waits' : 'wait'} for the same: your answer is for all.`];
  const cost = forecast !== undefined && request.subject.kind === 'plan' ? [`The run will come to ${forecast}.`] : [];
  const { expiresAfter } = request;
  const end =
    expiresAfter === undefined ? [] : [`If nobody answers within ${inTime(expiresAfter)}, it counts as refused.`];
  return { title: visibleText(title), paragraphs: [...paragraphs, ...cost, ...others, ...end].map(visibleText) };
}

/** Minutes in words. */
export function inTime(minutes: number): string {
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What the checks run, each text once. */
function planRunsInWords(checks: DeepReadonly<(PersonRequest['subject'] & { kind: 'plan' })['checks']>): string[] {
  const runs = new Map(
    checks.flatMap(({ run }) => run?.runs ?? []).map((text) => [`${text.name} ${text.sha256}`, text]),
  );
  return runsInWords([...runs.values()], 'They run');
}

function runsInWords(runs: DeepReadonly<RunText[]> = [], they = 'It runs'): string[] {
  return runs.map(({ name, text }) =>
    text === undefined
      ? `${they} ${name}, which cannot be shown here.`
      : `${they} ${name}:\n${text.trimEnd() === '' ? '(empty)' : quotedLines(text.trimEnd())}`,
  );
}

function onlyThePerson({ isProtected }: { readonly isProtected?: true | undefined }): string[] {
  return isProtected ? ['Nothing allows this ahead; it is asked each time.'] : [];
}

function variablesInWords(subject: DeepReadonly<RequestSubject & { kind: 'server' }>): string[] {
  const own = ownVariablesOf(subject);
  return [
    ...(Object.keys(subject.env).length > 0
      ? [
          `It gets ${Object.entries(subject.env)
            .map(([name, value]) => `${name}=${value}`)
            .join(', ')}`,
        ]
      : []),
    ...(own.length > 0
      ? [`It gets your own ${own.join(', ')}, and can send ${own.length === 1 ? 'it' : 'them'} wherever it reaches.`]
      : []),
  ];
}

function reachInWords({ isSandboxed, network }: DeepReadonly<CommandReach>, who: 'It' | 'They'): string {
  const [can, reach, is] = who === 'It' ? ['can', 'reaches', 'is'] : ['can', 'reach', 'are'];
  return isSandboxed
    ? `${who} ${is} sandboxed: ${who.toLowerCase()} ${can} change nothing but that copy, and ${network ? `${reach} the network` : `${reach} no network`}.`
    : `${who} ${is} NOT sandboxed, and ${reach} whatever you can.`;
}

function wordsOf({ subject, agentId }: DeepReadonly<PersonRequest>): RequestWords {
  const who = agentId ?? 'The host';
  switch (subject.kind) {
    case 'plan': {
      const checks = subject.checks.map(({ taskKey, check }) => `• ${taskKey}: ${describeCheck(check)}`);
      return {
        title: 'Accept this plan?',
        paragraphs: [
          subject.summary,
          `Accepting it also allows the host to run exactly these checks, on the team’s own copies. ${reachInWords(subject, 'They')}`,
          checks.join('\n'),
          ...planRunsInWords(subject.checks),
        ],
      };
    }
    case 'command':
      return {
        title: `${who} wants to run a command`,
        paragraphs: [
          subject.command.includes('\n') ? quotedLines(subject.command) : subject.command,
          `${subject.isCheck ? 'The host runs it on a copy of what tasks hand in, in this whole run' : `It runs in the task’s own copy of the workspace${subject.cwd === '.' ? '' : `, in ${subject.cwd}`}`}. ${subject.why}`,
          reachInWords(subject, 'It'),
          ...runsInWords(subject.runs),
        ],
      };
    case 'write':
      return {
        title: `${who} wants to write ${subject.path}`,
        paragraphs: [
          `${subject.why} The file is written in the task’s own copy of the workspace.`,
          ...(subject.texts ? [describeTexts(subject.texts)] : []),
          ...onlyThePerson(subject),
        ],
      };
    case 'changes':
      return {
        title: `${who} ran a command that changed ${subject.changes.map(({ path }) => path).join(', ')}`,
        paragraphs: [
          subject.command,
          'What it did there was put back. Allow it to have it done again, in the task’s own copy of the workspace.',
          ...subject.changes.map(({ why, texts, isExecutable }) =>
            [
              `${why}${texts?.before === undefined ? ' It is new.' : ''}${texts?.after === undefined ? ' It goes.' : ''}${isExecutable ? ' It can be run.' : ''}`,
              describeTexts(texts ?? {}),
            ].join('\n'),
          ),
          ...onlyThePerson(subject),
        ],
      };
    case 'read':
      return {
        title: `${who} wants to read ${subject.path}`,
        paragraphs: [`${subject.why} What it reads goes to the model.`, ...onlyThePerson(subject)],
      };
    case 'raise': {
      const { resource, limit, to, used, needed, of, envelope } = subject;
      const next = needed > 0 ? ` The next call may need ${describeAmount(resource, needed)}.` : '';
      return {
        title: `Raise ${of} budget from ${describeAmount(resource, limit)} to ${describeAmount(resource, to)}?`,
        paragraphs: [
          `${describeAmount(resource, used)} of it are used.${next} Calls that do not fit stand still, and nothing is lost meanwhile.`,
          ...(envelope === 'day'
            ? ['It is raised for this run; other runs of today keep the limit they began with.']
            : []),
          'Allow it and the run goes on. Refuse it and the run ends; all work is kept.',
          ...onlyThePerson(subject),
        ],
      };
    }
    case 'fetch':
      return {
        title: `${who} wants to read a page of ${subject.host}`,
        paragraphs: [
          `${subject.method} ${subject.url}`,
          `${subject.host === subject.address ? '' : `${subject.host} is ${subject.address} now, and only that address is connected to. `}${subject.why} The whole address goes to that host, with all that stands in it; what the page says goes to the model.`,
          ...onlyThePerson(subject),
        ],
      };
    case 'server':
      return {
        title: subject.call
          ? `${who} wants to call ${subject.call.tool.name} of the MCP server ${subject.server}`
          : `${who} wants to see what the MCP server ${subject.server} offers`,
        paragraphs: [
          ...(subject.call
            ? [
                `With ${subject.call.input}`,
                subject.call.tool.description
                  ? `The server says of it:\n${quotedLines(subject.call.tool.description)}`
                  : 'The server says nothing of it.',
              ]
            : []),
          `The server is started for this and ended after it: ${commandLineOf(subject)}`,
          'It stands in .vscode/mcp.json and runs in the task’s own copy of the workspace.',
          ['What it answers goes to the model.', subject.why].filter(Boolean).join(' '),
          ...variablesInWords(subject),
          reachInWords(subject, 'It'),
          ...runsInWords(subject.runs),
          ...onlyThePerson(subject),
        ],
      };
    case 'question':
      return {
        title: `${who} asks`,
        paragraphs: [subject.question, subject.options.map((option) => `• ${option}`).join('\n')].filter(Boolean),
      };
  }
}

/** Why a request waits no more, for who comes too late. */
export function howSettled({ answer, door }: DeepReadonly<Pick<RequestRecord, 'answer' | 'door'>>): string {
  if (door !== undefined) {
    return `This was answered already, ${WHERE[door]}.`;
  }
  return `This needs no answer any more${answer?.kind === 'deny' && answer.reason !== undefined ? `: ${answer.reason}` : '.'}`;
}

const WHERE: Readonly<Record<AnswerDoor, string>> = {
  editor: 'in VS Code',
  terminal: 'at a terminal',
  policy: 'by what is allowed ahead',
};
