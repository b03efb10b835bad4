/** Puts the whole system together, in order. What it makes is ended in reverse by `close`. */
import { CodingAgent } from './agents/codingAgent.ts';
import type { AgentServices } from './agents/loopingAgent.ts';
import { ModelTurn } from './agents/modelTurn.ts';
import { PlanningAgent } from './agents/planningAgent.ts';
import { requestOf } from './agents/callRequest.ts';
import { TeamTools } from './agents/teamTools.ts';
import { TestingAgent } from './agents/testingAgent.ts';
import { Emitter, type Event } from './base/emitter.ts';
import { BudgetKeeper } from './budget/budgetKeeper.ts';
import type { Signal } from './domain/signals.ts';
import { Inbox } from './inbox/inbox.ts';
import { ModelGateway } from './llm/modelGateway.ts';
import type { Clock, LanguageModels, Ledger, Logger } from './ports.ts';
import { AgentCommunicationService } from './services/agentCommunicationService.ts';
import { AgentFactory, type RoleTable } from './services/agentFactory.ts';
import { AgentPool } from './services/agentPool.ts';
import { AgentHealth } from './services/agentHealth.ts';
import { AgentSupervisor } from './services/agentSupervisor.ts';
import { CheckRights } from './services/checkRights.ts';
import { DelegatedTasks } from './services/delegatedTasks.ts';
import type { SquadFiles } from './services/gitSquadFiles.ts';
import { HeldChanges } from './services/heldChanges.ts';
import { MailRetries } from './services/mailRetries.ts';
import { RequestExpiry } from './services/requestExpiry.ts';
import { RunService } from './services/runService.ts';
import { TaskCompletion } from './services/taskCompletion.ts';
import { TaskDelegationService } from './services/taskDelegationService.ts';
import { TeamControls } from './services/teamControls.ts';
import { TaskWork, type Worker } from './services/taskWork.ts';
import { performTool, type PerformTool, type PermitTool } from './tools/tool.ts';
import { ToolRunner } from './tools/toolRunner.ts';
import type { Servers } from './tools/servers.ts';
import type { Web } from './tools/web.ts';

/** Model calls under way at once, over all agents. */
const MODEL_CONCURRENCY = 8;

export interface SquadPorts {
  readonly ledger: Ledger;
  readonly models: LanguageModels;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: SquadFiles;
  /** What the guardrails say of a tool's call. */
  readonly permit: PermitTool;
  readonly web: Web;
  readonly servers: Servers;
  /** How a tool's call is carried out; the tool itself where nothing is said. */
  readonly perform?: PerformTool;
  /** Who plays the roles; the agents of `agents/` where nothing is said. */
  readonly roles?: (builtIn: RoleTable<Worker>) => RoleTable<Worker>;
}

export interface Squad {
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly runs: RunService;
  readonly communication: AgentCommunicationService;
  readonly factory: AgentFactory<Worker>;
  readonly team: TeamControls;
  readonly onDidSignal: Event<Signal>;
  /** Ends all work as it is; unfinished runs stay unfinished. */
  close(): Promise<void>;
}

export function createSquad(ports: SquadPorts): Squad {
  const { ledger, clock, logger, models } = ports;
  const filesOf = (runId: string) => ports.files.runFiles(runId);
  const signals = new Emitter<Signal>();
  const health = new AgentHealth({ ledger, clock, onDidSignal: signals.event });
  const inbox = new Inbox(ledger, clock);
  const budget = new BudgetKeeper(ledger, clock);
  const communication = new AgentCommunicationService(ledger, { clock, logger });
  const retries = new MailRetries(ledger, clock);
  const expiry = new RequestExpiry(ledger, clock);
  const held = new HeldChanges({ ledger, inbox, filesOf });
  const rights = new CheckRights({ ledger, inbox, filesOf });
  const completion = new TaskCompletion({ ledger, held, rights, filesOf });
  const gateway = new ModelGateway({ concurrency: MODEL_CONCURRENCY, clock, logger });
  const services: AgentServices = {
    ledger,
    signals,
    web: ports.web,
    servers: ports.servers,
    communication,
    toolRunner: new ToolRunner({
      ledger,
      permit: ports.permit,
      askPerson: (subject, context, signal) => inbox.ask(requestOf(context, subject), signal),
      perform: ports.perform ?? performTool,
      lookAfter: (context, signal) => held.lookAfter(context, signal),
    }),
    modelTurn: new ModelTurn({ ledger, models, gateway, budget, signals }),
  };
  const team = new TeamTools({
    ledger,
    inbox,
    communication,
    completion,
    rights,
    delegated: new DelegatedTasks(ledger, completion),
  });
  const roles: RoleTable<Worker> = {
    planning: (identity) => new PlanningAgent(identity, services, team),
    coding: (identity) => new CodingAgent(identity, services, team),
    testing: (identity) => new TestingAgent(identity, services, team),
    research: undefined,
    deployment: undefined,
  };
  const factory = new AgentFactory<Worker>(ledger, ports.roles?.(roles) ?? roles, health);
  const delegation = new TaskDelegationService(ledger);
  const supervisor = new AgentSupervisor({
    ledger,
    clock,
    logger,
    health,
    budget,
    forget: (agentId) => {
      factory.forget(agentId);
    },
    dismiss: (agentId) => factory.destroyAgent(agentId),
  });
  const pool = new AgentPool({ ledger, clock, factory, delegation });
  const taskWork = new TaskWork({ ledger, clock, logger, filesOf, factory, communication, supervisor });
  const runs = new RunService({
    ledger,
    clock,
    logger,
    results: ports.files.results({ ledger, clock, logger }),
    filesOf,
    taskWork,
    factory,
    pool,
    budget,
    supervisor,
  });
  return {
    ledger,
    inbox,
    runs,
    communication,
    factory,
    team: new TeamControls(ledger, factory),
    onDidSignal: signals.event,
    close: async () => {
      retries.dispose();
      expiry.dispose();
      await runs.release();
      pool.dispose();
      supervisor.dispose();
      health.dispose();
    },
  };
}
