/** The dashboard: what waits for the person, what is stuck, who does what, what it costs. It draws; it decides nothing. */
import type { ComponentChildren } from 'preact';
import { currentRun, type RunView } from '../../src/domain/squadState.ts';
import type { ViewRequest } from '../../src/protocol/messages.ts';
import type { ViewState } from '../../src/protocol/viewState.ts';
import type { PageState } from '../state.ts';
import { Button } from '../ui/Button.tsx';
import { Activity } from './Activity.tsx';
import { AgentConversationPanel } from './AgentConversationPanel.tsx';
import { Figures } from './Figures.tsx';
import { RunHead } from './RunHead.tsx';
import { StateMark } from './StateMark.tsx';
import { TaskDelegationFlow } from './TaskDelegationFlow.tsx';
import { Team } from './Team.tsx';
import { WaitsForYou, waitCount } from './WaitsForYou.tsx';

export interface DashboardProps {
  readonly page: PageState;
  readonly ask: (request: ViewRequest) => void;
  readonly dismiss: () => void;
}

export function AgentOrchestrationDashboard({ page, ask, dismiss }: DashboardProps) {
  return (
    <>
      <p class="unseen" role="status">
        {page.news}
      </p>
      {page.refused !== undefined && (
        <Note alert look="you" text={page.refused}>
          <Button small label="Dismiss this note" onPress={dismiss}>
            Dismiss
          </Button>
        </Note>
      )}
      {page.noSquad !== undefined && page.view && (
        <Note alert look="you" text={`What you see below is not live. ${page.noSquad}`} />
      )}
      <Content page={page} ask={ask} />
    </>
  );
}

function Content({ page, ask }: Pick<DashboardProps, 'page' | 'ask'>) {
  const run = page.view && currentRun(page.view.state);
  if (page.view && run) {
    return <RunDashboard key={run.id} view={page.view} run={run} toGo={page.toGo} ask={ask} />;
  }
  if (page.noSquad !== undefined) {
    return (
      <main class="nothing">
        <h1>No squad to show</h1>
        <p>{page.noSquad}</p>
        <StartRun ask={ask} look="secondary" />
      </main>
    );
  }
  if (!page.view) {
    return (
      <main class="nothing">
        <p>Reading the squad…</p>
      </main>
    );
  }
  return (
    <main class="nothing">
      <h1>No run yet</h1>
      <p>State an objective. A planner splits it, agents carry it out side by side, and you apply one proven change.</p>
      <StartRun ask={ask} look="primary" />
      <p class="muted">Nothing is written before you accept plan and budget.</p>
    </main>
  );
}

function StartRun({ ask, look }: Pick<DashboardProps, 'ask'> & { readonly look: 'primary' | 'secondary' }) {
  return (
    <Button
      look={look}
      onPress={() => {
        ask({ type: 'command', command: { command: 'devsquad.startRun', args: [] } });
      }}
    >
      Start a Run…
    </Button>
  );
}

function RunDashboard({
  view,
  run,
  toGo,
  ask,
}: {
  readonly view: ViewState;
  readonly run: RunView;
  readonly toGo: PageState['toGo'];
  readonly ask: DashboardProps['ask'];
}) {
  return (
    <main class="dashboard">
      <RunHead run={run} waitCount={waitCount(run)} ask={ask} />
      {noteOf(run)}
      <div class="top">
        <WaitsForYou run={run} state={view.state} ask={ask} />
        <Figures run={run} events={view.events} toGo={toGo} />
      </div>
      <div class="columns">
        <TaskDelegationFlow run={run} state={view.state} />
        <Team run={run} state={view.state} />
      </div>
      <div class="columns">
        <Activity view={view} />
        <AgentConversationPanel run={run} state={view.state} />
      </div>
    </main>
  );
}

function noteOf(run: RunView) {
  if (run.phase === 'ended' && run.status !== 'succeeded' && run.reason !== undefined) {
    return <Note look={run.status === 'failed' ? 'bad' : 'you'} text={run.reason} />;
  }
  if (run.phase !== 'ended' && run.stopped) {
    return <Note look="plain" text="Every run is stopped: calls and processes have ended, all work is kept." />;
  }
  return undefined;
}

function Note(props: {
  readonly look: 'you' | 'bad' | 'plain';
  readonly text: string;
  readonly alert?: boolean;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`note ${props.look}`} {...(props.alert ? { role: 'alert' } : {})}>
      <StateMark mark={props.look === 'bad' ? 'failed' : props.look === 'you' ? 'you' : 'paused'} />
      <span class="text">{props.text}</span>
      {props.children}
    </div>
  );
}
