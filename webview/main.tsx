/** The page: draws what it knows, at most once a frame, and says that it is there. */
import '../src/protocol/pagePolicy.ts';
import { render } from 'preact';
import { newsAfter } from './activity.ts';
import { AgentOrchestrationDashboard } from './components/AgentOrchestrationDashboard.tsx';
import { send } from './host.ts';
import { Page } from './state.ts';

const root = document.getElementById('root') ?? document.body;
let isDue = false;

const page = new Page({ send, onChange: drawSoon, newsOf: newsAfter });

window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  page.receive(data);
});
draw();
send({ type: 'ready' });

function drawSoon(): void {
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(draw);
  }
}

function draw(): void {
  isDue = false;
  render(
    <AgentOrchestrationDashboard
      page={page.state}
      ask={(request) => {
        page.ask(request);
      }}
      dismiss={() => {
        page.dismiss();
      }}
    />,
    root,
  );
}
