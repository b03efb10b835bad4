/** Puts the whole system together, in order. What it makes is ended in reverse by `close`. */
import { CodingAgent } from './agents/codingAgent.ts';
import type { AgentServices } from './agents/loopingAgent.ts';
import { ModelTurn } from './agents/modelTurn.ts';
import { PlanningAgent } from './agents/planningAgent.ts';
import { requestOf, TeamTools } from './agents/teamTools.ts';
import { TestingAgent } from './agents/testingAgent.ts';
import { Emitter, type Event } from './base/emitter.ts';
import { BudgetKeeper } from './budget/budgetKeeper.ts';
import type { Signal } from './domain/signals.ts';
import { Inbox } from './inbox/inbox.ts';
import { ModelGateway } from './llm/modelGateway.ts';
import type { Clock, LanguageModels, Ledger, Logger } from './ports.ts';
import { AgentCommunicationService } from './services/agentCommunicationService.ts';
import { AgentFactory } from './services/agentFactory.ts';
import { EndedRuns } from './services/endedRuns.ts';
import { ResultTurns } from './services/resultTurns.ts';
import { RunResult } from './services/runResult.ts';
import { RunService } from './services/runService.ts';
import { TaskCompletion } from './services/taskCompletion.ts';
import { TaskDelegationService } from './services/taskDelegationService.ts';
import { TaskWork, type Worker } from './services/taskWork.ts';
import { ToolRunner } from './tools/toolRunner.ts';
import { Git } from './workspace/git.ts';
import { Processes } from './workspace/processes.ts';
import { RunRepository } from './workspace/repository.ts';
import { RunFolders } from './workspace/runFolders.ts';

/** Model calls under way at once, over all agents. */
const MODEL_CONCURRENCY = 8;

export interface SquadPorts {
  readonly ledger: Ledger;
  readonly models: LanguageModels;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workspaceRoot: string;
  /** The squad's own folder; each run has a folder in it. */
  readonly storage: string;
}

export interface Squad {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly runs: RunService;
  readonly communication: AgentCommunicationService;
  readonly onDidSignal: Event<Signal>;
  /** Ends all work as it is; unfinished runs stay unfinished. */
  close(): Promise<void>;
}

export function createSquad(ports: SquadPorts): Squad {
  const { ledger, clock, logger, models } = ports;
  const tools = { git: new Git(), processes: new Processes({ clock }) };
  const folders = new RunFolders(ports.storage);
  const repositoryOf = repositories(ports, folders, tools.git);
  const signals = new Emitter<Signal>();
  const inbox = new Inbox(ledger);
  const budget = new BudgetKeeper(ledger);
  const communication = new AgentCommunicationService(ledger);
  const completion = new TaskCompletion({ ledger, repositoryOf, processes: tools.processes });
  const gateway = new ModelGateway({ concurrency: MODEL_CONCURRENCY, clock, logger });
  const services: AgentServices = {
    ledger,
    signals,
    communication,
    toolRunner: new ToolRunner(ledger, (subject, context, signal) => inbox.ask(requestOf(context, subject), signal)),
    modelTurn: new ModelTurn({ ledger, models, gateway, budget, signals }),
  };
  const team = new TeamTools({ ledger, inbox, communication, completion });
  const factory = new AgentFactory<Worker>(ledger, {
    planning: (identity) => new PlanningAgent(identity, services, team),
    coding: (identity) => new CodingAgent(identity, services, team),
    testing: (identity) => new TestingAgent(identity, services, team),
    research: undefined,
    deployment: undefined,
  });
  const delegation = new TaskDelegationService(ledger);
  const turns = new ResultTurns(clock);
  const result = new RunResult({ ledger, logger, turns, folders, repositoryOf });
  const endedRuns = new EndedRuns({ ledger, clock, logger, turns, folders, result, repositoryOf });
  const taskWork = new TaskWork({ ledger, logger, repositoryOf, tools, factory, communication });
  const runs = new RunService({
    ledger,
    clock,
    logger,
    result,
    endedRuns,
    repositoryOf,
    processes: tools.processes,
    taskWork,
    factory,
    delegation,
    budget,
  });
  return { ledger, inbox, runs, communication, onDidSignal: signals.event, close: () => runs.release() };
}

/** One repository object for each run. */
function repositories({ workspaceRoot }: SquadPorts, folders: RunFolders, git: Git): (runId: string) => RunRepository {
  const known = new Map<string, RunRepository>();
  return (runId) => {
    const repository = known.get(runId) ?? new RunRepository({ folder: folders.pathOf(runId), workspaceRoot, git });
    known.set(runId, repository);
    return repository;
  };
}
