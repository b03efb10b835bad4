/** An agent that works by the real loop over a ledger in memory; its model is a function, and its tools call the test back. */
import * as z from 'zod';
import { LoopingAgent } from '../../src/agents/loopingAgent.ts';
import { ModelTurn } from '../../src/agents/modelTurn.ts';
import type { AgentTask, TaskResult } from '../../src/agents/baseAgent.ts';
import { Emitter } from '../../src/base/emitter.ts';
import { BudgetKeeper } from '../../src/budget/budgetKeeper.ts';
import type { ConversationEntry } from '../../src/domain/conversation.ts';
import type { Signal } from '../../src/domain/signals.ts';
import { ModelGateway } from '../../src/llm/modelGateway.ts';
import type { LanguageModel, Logger } from '../../src/ports.ts';
import { AgentCommunicationService } from '../../src/services/agentCommunicationService.ts';
import { defineTool, performTool, type Tool } from '../../src/tools/tool.ts';
import { ToolRunner } from '../../src/tools/toolRunner.ts';
import { anyAgent, logWithWorkingTask } from './builders.ts';
import { MemoryLedger } from './memoryLedger.ts';
import { VirtualClock } from './virtualClock.ts';
import { permit } from './guardrails.ts';
import { noServers, noWeb } from './nowhere.ts';

/** Which steps the model wants next, by name; none ends the task. */
export type Answers = (conversation: readonly ConversationEntry[]) => readonly string[];

export const quiet: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

export class LoopedAgent {
  readonly log = logWithWorkingTask();
  readonly clock = new VirtualClock();
  readonly ledger: MemoryLedger;
  readonly communication: AgentCommunicationService;
  /** What the model was asked with, call after call. */
  readonly asked: (readonly ConversationEntry[])[] = [];
  /** Names of the steps that were taken, in order. */
  readonly steps: string[] = [];
  private readonly answers: Answers;
  private readonly onStep: (name: string) => Promise<void> | void;
  private readonly agent: Worker;

  constructor(answers: Answers, onStep: (name: string) => Promise<void> | void = () => undefined) {
    this.answers = answers;
    this.onStep = onStep;
    this.ledger = new MemoryLedger(this.log);
    this.communication = new AgentCommunicationService(this.ledger);
    const { ledger, clock, communication } = this;
    const signals = new Emitter<Signal>();
    const models = { select: () => Promise.resolve(this.model()) };
    const gateway = new ModelGateway({ concurrency: 1, clock, logger: quiet });
    const services = {
      ledger,
      signals,
      communication,
      web: noWeb,
      servers: noServers,
      toolRunner: new ToolRunner({
        ledger,
        permit,
        askPerson: () => Promise.resolve({ kind: 'allow' as const }),
        perform: performTool,
        lookAfter: () => Promise.resolve(undefined),
      }),
      modelTurn: new ModelTurn({ ledger, models, gateway, budget: new BudgetKeeper(ledger, clock), signals }),
    };
    this.agent = new Worker(anyAgent(), services, this.tools());
  }

  work(signal = new AbortController().signal): Promise<TaskResult> {
    const task = this.log.state.runs['run-1']!.tasks['run-1.greet']!;
    // The tools here do not look at the workspace.
    const workspace = {} as AgentTask['workspace'];
    return this.agent.processTask({ task, workspace, signal, winding: new AbortController().signal });
  }

  private model(): LanguageModel {
    let calls = 0;
    return {
      id: 'test/steps',
      label: 'Steps',
      maxInputTokens: 100_000,
      maxOutputTokens: 1_000,
      countTokens: (text) => Promise.resolve(text.length),
      ask: ({ conversation }) => {
        this.asked.push([...conversation]);
        const steps = this.answers(conversation);
        const toolCalls = (steps.length > 0 ? steps : ['done']).map((name) =>
          name === 'done'
            ? { id: `c${++calls}`, name: 'done', argumentsText: '{}' }
            : { id: `c${++calls}`, name: 'step', argumentsText: JSON.stringify({ name }) },
        );
        return Promise.resolve({ answer: { text: '', toolCalls, finishReason: 'tool-calls' } });
      },
    };
  }

  private tools(): Tool[] {
    return [
      defineTool({
        name: 'step',
        description: 'Takes a step.',
        input: z.strictObject({ name: z.string() }),
        effect: 'team',
        afterCrash: 'repeat',
        run: async ({ name }) => {
          this.steps.push(name);
          await this.onStep(name);
          return { text: `Took ${name}.` };
        },
      }),
      defineTool({
        name: 'done',
        description: 'Ends the task.',
        input: z.strictObject({}),
        effect: 'team',
        afterCrash: 'repeat',
        run: () => Promise.resolve({ text: 'Done.', end: { value: 'done' } }),
      }),
    ];
  }
}

class Worker extends LoopingAgent {
  private readonly tools: readonly Tool[];

  constructor(
    identity: ConstructorParameters<typeof LoopingAgent>[0],
    services: ConstructorParameters<typeof LoopingAgent>[1],
    tools: readonly Tool[],
  ) {
    super(identity, services);
    this.tools = tools;
  }

  processTask(work: AgentTask): Promise<TaskResult> {
    return this.perform(work, () => this.loop({ instructions: 'You step.', brief: 'Step.', tools: this.tools }));
  }
}
