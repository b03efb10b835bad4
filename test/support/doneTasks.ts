import type { RunView } from '../../src/domain/squadState.ts';
import { anyAgent, anyOptions, anyPlanTask, anyTask, EventLog } from './builders.ts';

/** A squad with a record: each number a task that came to so many tokens. */
export class DoneTasks {
  readonly log = new EventLog();
  private runs = 0;
  private calls = 0;
  private readonly microUsdPerToken: number | undefined;

  /** Without a price nobody knows what its tokens cost. */
  constructor(microUsdPerToken?: number) {
    this.microUsdPerToken = microUsdPerToken;
  }

  /** One run whose tasks of that type have ended. */
  past(type: 'generate-code' | 'generate-tests', tokens: readonly number[], how: 'proven' | 'failed' = 'proven'): void {
    const role = type === 'generate-code' ? 'coding' : 'testing';
    const runId = this.begin();
    for (const [index, each] of tokens.entries()) {
      this.task(runId, `t${index}`, { role, type }, each);
      const ids = { runId, taskId: `${runId}.t${index}` };
      this.log.add(
        how === 'proven'
          ? { type: 'task-proven', ...ids, commit: 'c', tree: 't' }
          : { type: 'task-failed', ...ids, reason: 'It did not work.' },
      );
    }
  }

  begin(): string {
    const runId = `run-${++this.runs}`;
    this.log.add({ type: 'run-started', runId, objective: 'Greet', options: anyOptions() });
    return runId;
  }

  task(runId: string, key: string, kind: Pick<ReturnType<typeof anyTask>, 'role' | 'type'>, tokens: number): void {
    const ids = { runId, taskId: `${runId}.${key}` };
    const [agentId, callId] = [`a-${++this.calls}`, `${runId}/call-${this.calls}`];
    const price = this.microUsdPerToken;
    const cost = price === undefined ? {} : { microUsd: tokens * price };
    const usage = { inputTokens: tokens, outputTokens: 0, source: 'provider' as const, ...cost };
    this.log.add(
      { type: 'agent-created', agent: anyAgent({ id: agentId }) },
      { type: 'task-created', ...ids, task: anyTask({ id: ids.taskId, runId, key, ...kind }) },
      { type: 'task-ready', ...ids },
      { type: 'task-delegated', ...ids, agentId, candidates: [] },
      { type: 'task-started', ...ids },
    );
    if (tokens > 0) {
      const answer = { text: '', toolCalls: [], finishReason: 'stop' as const };
      this.log.add(
        { type: 'model-call-started', ...ids, callId, model: 'm', reservedTokens: tokens },
        { type: 'model-call-ended', ...ids, callId, model: 'm', answer, usage },
      );
    }
  }

  planned(...types: ('generate-code' | 'generate-tests')[]): RunView {
    const runId = this.begin();
    const tasks = types.map((type, index) =>
      anyPlanTask({ key: `t${index}`, type, role: type === 'generate-code' ? 'coding' : 'testing' }),
    );
    const plan = { summary: 'Greet', strategy: 'parallel' as const, why: 'It is small.', tasks };
    this.log.add({ type: 'plan-submitted', runId, plan, revision: 1 });
    return this.run(runId);
  }

  run(runId: string): RunView {
    return this.log.state.runs[runId]!;
  }
}
