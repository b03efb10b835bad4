import { OpenAiModel } from '../../../src/llm/openaiModel.ts';
import { RehearsalModel } from '../../../src/llm/rehearsalModel.ts';
import { realClock } from '../../support/realClock.ts';
import { ScriptedServer } from '../../support/scriptedServer.ts';
import { describeModelDoor, type Turn } from './modelContract.ts';

describeModelDoor('Rehearsal', (turns, isSlow) =>
  Promise.resolve({
    model: new RehearsalModel(
      { name: 'contract', objective: 'Keep it', script: { plan: turns.map(copyTurn) } },
      { clock: realClock, pauseMs: isSlow ? 10 : 0 },
    ),
    dispose: () => Promise.resolve(),
  }),
);

describeModelDoor('OpenAI-compatible, streaming', (turns, isSlow) => openServed(turns, isSlow));

const copyTurn = (turn: Turn) => ({ ...turn });

async function openServed(turns: readonly Turn[], isSlow: boolean) {
  const server = await ScriptedServer.start(({ conversation }) => {
    const turn = turns[conversation.filter((entry) => entry.role === 'assistant').length];
    if (isSlow) {
      return { fault: 'slow-drip', everyMs: 10 };
    }
    return turn ?? { fault: 'status', status: 400 };
  });
  return {
    model: new OpenAiModel({ baseUrl: server.baseUrl, model: 'scripted', apiKey: 'key', clock: realClock }),
    dispose: () => server.close(),
  };
}
