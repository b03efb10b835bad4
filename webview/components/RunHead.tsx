/** What the run is for, how it stands, and the two ways to hold it. */
import type { ViewRequest } from '../../src/protocol/messages.ts';
import type { RunView } from '../../src/domain/squadState.ts';
import { Button } from '../ui/Button.tsx';
import { runWords, timeOfDay } from '../words.ts';
import { StateMark } from './StateMark.tsx';

export function RunHead({
  run,
  waitCount,
  ask,
}: {
  readonly run: RunView;
  readonly waitCount: number;
  readonly ask: (request: ViewRequest) => void;
}) {
  const { mark, words } = runWords(run, waitCount);
  const facts = [
    words,
    `started ${timeOfDay(run.startedAt, false)}`,
    ...(run.options.model.door === 'rehearsal' ? ['rehearsal: prepared answers'] : []),
    ...(run.outcome.kind === 'branched' ? [`branch ${run.outcome.name}`] : []),
    ...(run.outcome.kind === 'applying' ? ['being applied'] : []),
    ...(run.outcome.kind === 'applied' || run.outcome.kind === 'discarded' ? [run.outcome.kind] : []),
  ];
  return (
    <header class="head">
      <StateMark mark={mark} />
      <div class="what">
        <h1 title={run.objective}>{run.objective}</h1>
        <p class="facts">{facts.join(' · ')}</p>
      </div>
      <span class="buttons">{controls(run, ask)}</span>
    </header>
  );
}

function controls(run: RunView, ask: (request: ViewRequest) => void) {
  if (run.phase === 'ended') {
    return (
      <Button
        icon="add"
        onPress={() => {
          ask({ type: 'command', command: { command: 'devsquad.startRun', args: [] } });
        }}
      >
        Start a Run…
      </Button>
    );
  }
  if (run.stopped) {
    return (
      <Button
        look="primary"
        icon="debug-continue"
        title="Takes every stopped run up again where it stood"
        onPress={() => {
          ask({ type: 'recover' });
        }}
      >
        Recover
      </Button>
    );
  }
  return (
    <>
      <Button
        icon={run.paused ? 'debug-continue' : 'debug-pause'}
        onPress={() => {
          ask({ type: run.paused ? 'resume' : 'pause', runId: run.id });
        }}
      >
        {run.paused ? 'Resume' : 'Pause'}
      </Button>
      <span class="stop">
        <Button
          icon="stop-circle"
          title="Stops every run of this squad; Recover takes them up again"
          onPress={() => {
            ask({ type: 'emergency-stop' });
          }}
        >
          Emergency stop
        </Button>
      </span>
    </>
  );
}
