/**
 * What waits for the person, oldest first, each with its button. A button only asks the host, which confirms with the
 * person itself; only *Refuse* acts at once.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { describeSubject, type RequestRecord } from '../../src/domain/approval.ts';
import type { DeepReadonly } from '../../src/base/deepReadonly.ts';
import type { RunView, SquadView } from '../../src/domain/squadState.ts';
import type { ViewCommand, ViewRequest } from '../../src/protocol/messages.ts';
import { assertNever } from '../../src/base/assertNever.ts';
import { Button } from '../ui/Button.tsx';
import { waitingGroups } from '../../src/domain/phaseWords.ts';
import { countOf, nameOf } from '../words.ts';
import { StateMark } from './StateMark.tsx';

type WaitingRequest = DeepReadonly<RequestRecord>;
/** More are folded away. */
const SHOWN = 4;

/** How many things wait for the person in this run, its result included. */
export function waitCount(run: RunView): number {
  return waitingGroups(run).length + (resultWaits(run) ? 1 : 0);
}

export function WaitsForYou({
  run,
  state,
  ask,
}: {
  readonly run: RunView;
  readonly state: SquadView;
  readonly ask: (request: ViewRequest) => void;
}) {
  const [showsAll, setShowsAll] = useState(false);
  const requests = waitingGroups(run);
  const shown = showsAll ? requests : requests.slice(0, SHOWN);
  const section = useFocusKept(requests.length);
  const total = waitCount(run);
  return (
    <section class="waits" aria-labelledby="waits-title" ref={section}>
      <div class="section-head">
        <h2 id="waits-title" tabIndex={-1}>
          Waits for you
        </h2>
        {total > 0 && <span class="badge">{total}</span>}
      </div>
      {total === 0 && <p class="empty">Nothing waits for you in this run.</p>}
      <ul>
        {resultWaits(run) && <Result run={run} ask={ask} />}
        {shown.map((group, index) => (
          <Request key={group[0].id} group={group} state={state} isFirst={index === 0} ask={ask} />
        ))}
      </ul>
      {shown.length < requests.length && (
        <div class="more">
          <Button
            small
            onPress={() => {
              setShowsAll(true);
            }}
          >
            {requests.length - shown.length} more
          </Button>
        </div>
      )}
    </section>
  );
}

function Request({
  group,
  state,
  isFirst,
  ask,
}: {
  /** All that wait for the same answer. */
  readonly group: readonly [WaitingRequest, ...WaitingRequest[]];
  readonly state: SquadView;
  readonly isFirst: boolean;
  readonly ask: (request: ViewRequest) => void;
}) {
  const [request] = group;
  const who = whoAsks(state, group);
  const { what, isCode, button, command, ...words } = wording(request);
  const wants = group.length === 1 ? words.wants : words.wants.replace(/^asks/, 'ask');
  return (
    <li>
      <StateMark mark="you" />
      <div class="text">
        <div class="line">
          <b>{who}</b> {wants}
        </div>
        <div class={isCode ? 'line code' : 'line muted'} title={what}>
          {what}
        </div>
      </div>
      <span class="buttons">
        <Button
          small
          look={isFirst ? 'primary' : 'secondary'}
          label={`${button}: ${who} ${wants}, ${what}`}
          onPress={() => {
            ask({ type: 'command', command });
          }}
        >
          {button}
        </Button>
        {['command', 'write', 'changes', 'read', 'fetch', 'server'].includes(request.subject.kind) && (
          <Button
            look="icon"
            icon="circle-slash"
            label={`Refuse: ${who} ${wants}, ${what}`}
            title="Refuse"
            onPress={() => {
              ask({ type: 'refuse', requestId: request.id });
            }}
          />
        )}
      </span>
    </li>
  );
}

/** "Coding 1", "Coding 1 and Testing 2", "Coding 1 and 2 others". */
function whoAsks(state: SquadView, group: readonly WaitingRequest[]): string {
  const [first = '', ...others] = new Set(
    group.map(({ agentId }) => (agentId === undefined ? 'The host' : nameOf(state, { kind: 'agent', id: agentId }))),
  );
  return others.length === 0
    ? first
    : `${first} and ${others.length === 1 ? (others[0] ?? '') : `${others.length} others`}`;
}

interface Wording {
  readonly wants: string;
  readonly what: string;
  readonly isCode: boolean;
  readonly button: string;
  readonly command: ViewCommand;
}

function wording({ id, runId, subject }: WaitingRequest): Wording {
  const answer: ViewCommand = { command: 'devsquad.answerApproval', args: [id] };
  switch (subject.kind) {
    case 'plan':
      return {
        wants: `submits plan ${subject.revision}`,
        what: subject.summary,
        isCode: false,
        button: 'Accept plan…',
        command: { command: 'devsquad.approvePlan', args: [runId] },
      };
    case 'command':
      return { wants: 'asks to run', what: subject.command, isCode: true, button: 'Answer…', command: answer };
    case 'write':
      return {
        wants: subject.isProtected ? 'asks to write a protected file' : 'asks to write outside its task',
        what: subject.path,
        isCode: true,
        button: 'Answer…',
        command: answer,
      };
    case 'changes':
      return {
        wants: 'ran a command that changed protected files',
        what: subject.changes.map(({ path }) => path).join(', '),
        isCode: true,
        button: 'Answer…',
        command: answer,
      };
    case 'read':
      return { wants: 'asks to read', what: subject.path, isCode: true, button: 'Answer…', command: answer };
    case 'raise':
      return {
        wants: 'needs a higher budget',
        what: describeSubject(subject),
        isCode: false,
        button: 'Raise…',
        command: answer,
      };
    case 'fetch':
      return { wants: 'asks to fetch', what: subject.url, isCode: true, button: 'Answer…', command: answer };
    case 'server':
      return {
        wants: subject.call ? `asks to call a tool of ${subject.server}` : 'asks to start an MCP server',
        what: subject.call ? `${subject.call.tool.name} ${subject.call.input}` : subject.server,
        isCode: true,
        button: 'Answer…',
        command: answer,
      };
    case 'question':
      return { wants: 'asks', what: subject.question, isCode: false, button: 'Answer…', command: answer };
    default:
      return assertNever(subject);
  }
}

function resultWaits(run: RunView): boolean {
  return run.phase === 'ended' && run.outcome.kind === 'kept' && (run.diff?.files.length ?? 0) > 0;
}

function Result({ run, ask }: { readonly run: RunView; readonly ask: (request: ViewRequest) => void }) {
  const files = run.diff?.files ?? [];
  const sum = (side: 'added' | 'removed'): number => files.reduce((total, file) => total + file[side], 0);
  const isProven = run.status === 'succeeded';
  const button = (
    text: string,
    command: Exclude<ViewCommand['command'], 'devsquad.answerApproval' | 'devsquad.startRun'>,
    look: 'primary' | 'secondary' = 'secondary',
  ) => (
    <Button
      small
      look={look}
      onPress={() => {
        ask({ type: 'command', command: { command, args: [run.id] } });
      }}
    >
      {text}
    </Button>
  );
  return (
    <li class="result">
      <StateMark mark="you" />
      <div class="text">
        <div class="line">
          <b>{isProven ? 'The proven result' : 'What was merged so far'}</b> waits for your decision
        </div>
        <div class="line muted">
          {countOf(files.length, 'file')} · +{sum('added')} −{sum('removed')}
        </div>
      </div>
      <span class="buttons">
        {button('Review…', 'devsquad.reviewChanges', 'primary')}
        {isProven && button('Apply…', 'devsquad.applyChanges')}
        {isProven && button('Make a branch…', 'devsquad.createBranch')}
        {button('Discard…', 'devsquad.discardChanges')}
      </span>
    </li>
  );
}

/** When the row that has the focus goes, the next button gets it, or the heading when there is none. */
function useFocusKept(rowCount: number) {
  const section = useRef<HTMLElement>(null);
  const hadFocus = useRef(false);
  useLayoutEffect(() => {
    const element = section.current;
    if (hadFocus.current && document.activeElement === document.body) {
      const next = element?.querySelector<HTMLElement>('vscode-button') ?? element?.querySelector<HTMLElement>('h2');
      next?.focus();
    }
    const note = (): void => {
      hadFocus.current = element?.contains(document.activeElement) ?? false;
    };
    note();
    document.addEventListener('focusin', note);
    return () => {
      document.removeEventListener('focusin', note);
    };
  }, [rowCount]);
  return section;
}
