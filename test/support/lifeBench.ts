/** A squad in this process over a real ledger and real git, in virtual time, whose model and agents a test writes itself. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { SquadEvent, EventOf, EventType } from '../../src/domain/events.ts';
import type { RunOptions } from '../../src/domain/run.ts';
import type { AgentView, RunView, TaskView } from '../../src/domain/squadState.ts';
import { systemClock } from '../../src/host/clock.ts';
import { SquadLedger } from '../../src/ledger/squadLedger.ts';
import type { LanguageModel, LanguageModels, ModelRequest } from '../../src/ports.ts';
import { GitSquadFiles } from '../../src/services/gitSquadFiles.ts';
import { createSquad, type Squad, type SquadPorts } from '../../src/squad.ts';
import { TablesStore } from '../../src/store/sqljs/tablesClient.ts';
import { WebReader, type Network } from '../../src/tools/fetchUrlReader.ts';
import { McpClient } from '../../src/integrations/mcpClient.ts';
import type { Web } from '../../src/tools/web.ts';
import { TablesFeed } from '../../src/store/tablesFeed.ts';
import { anyOptions } from './builders.ts';
import { noWeb } from './nowhere.ts';
import { checkTables } from './checkTables.ts';
import { VirtualClock } from './virtualClock.ts';
import { silentLogger } from './viewedSquad.ts';
import { permit } from './guardrails.ts';

/**
 * What the model calls next; arguments that are a text go as they are. Undefined: it says nothing, for ever, and ends only
 * when it is cut.
 */
export type Say = (asked: Asked) => { tool: string; args: object | string } | 'prose' | undefined;

export interface Asked {
  /** `plan` or the task's key. */
  readonly key: string;
  readonly agentId: string;
  /** Answers of this conversation so far. */
  readonly answers: number;
  /** All that the model was told, as one text. */
  readonly told: string;
}

export const finish = { tool: 'finish_task', args: { summary: 'Done.' } };
export const readNothing = { tool: 'read_file', args: { path: 'is-not-there' } };

/** How long a test waits in real time for what must happen at once. */
const PATIENCE_MS = 30_000;
/** Turns of the loop without anything at work, before time passes on, */
const QUIET_TURNS = 10;
/** and looks at what is at work, some 5 ms apart, after which it passes all the same. */
const MOST_BUSY = 40;

export class LifeBench {
  readonly folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'devsquad-life-')));
  readonly storage = path.join(this.folder, 'storage');
  readonly clock = new VirtualClock();
  readonly events: SquadEvent[] = [];
  private readonly say: Say;
  private readonly tasks: readonly object[];
  private readonly models: LanguageModels;
  readonly roles: SquadPorts['roles'];
  private readonly web: Web;
  private epoch = 0;
  private opened: { squad: Squad; ledger: SquadLedger; feed: TablesFeed } | undefined;

  /** The planner submits `tasks`; everything else is said by `say`. Both are left out where a test brings its `models`. */
  constructor(options: {
    tasks?: readonly object[];
    say?: Say;
    models?: LanguageModels;
    roles?: SquadPorts['roles'];
    network?: Network;
  }) {
    this.say = options.say ?? (() => finish);
    this.tasks = options.tasks ?? [];
    this.models = options.models ?? {
      select: () => Promise.resolve(new WrittenModel((request) => this.answer(request))),
    };
    this.roles = options.roles;
    this.web = options.network ? new WebReader({ clock: this.clock, network: options.network }) : noWeb;
    mkdirSync(this.storage);
    mkdirSync(this.workspace);
    writeFileSync(path.join(this.workspace, 'README.md'), '# Here\n');
  }

  get workspace(): string {
    return path.join(this.folder, 'workspace');
  }

  get squad(): Squad {
    return this.now.squad;
  }

  get ledger(): SquadLedger {
    return this.now.ledger;
  }

  async open(): Promise<void> {
    const { storage, clock, workspace: workspaceRoot } = this;
    const epoch = ++this.epoch;
    const laterOwner = path.join(storage, `epoch.${epoch + 1}`);
    const ledger = await SquadLedger.open({ storage, epoch, laterOwner, host: 'terminal', clock });
    const ledgerSequence = ledger.state.sequence;
    const signal = new AbortController().signal;
    const tables = await TablesStore.open({ folder: storage, ledgerSequence, clock, logger: silentLogger }, signal);
    const feed = new TablesFeed({ ledger, tables, clock: systemClock, logger: silentLogger });
    const squad = createSquad({
      permit,
      web: this.web,
      servers: new McpClient(process.env),
      ledger,
      models: this.models,
      clock,
      logger: silentLogger,
      files: new GitSquadFiles({ workspaceRoot, storage, clock }),
      ...(this.roles ? { roles: this.roles } : {}),
    });
    ledger.onDidAppend((event) => {
      this.events.push(event);
    });
    this.opened = { squad, ledger, feed };
    await squad.runs.open();
  }

  /** Ends the squad, and fails unless the rows are what the ledger says. */
  async end(): Promise<void> {
    const { squad, ledger, feed } = this.now;
    this.opened = undefined;
    const state = { closed: false };
    const closing = squad.close().finally(() => (state.closed = true));
    for (let polls = 0; !state.closed; polls++) {
      await wait(5);
      // A call that never ends has a moment of the squad's own time, which nobody else moves any more.
      this.clock.advance(polls > 400 ? 500 : 0);
    }
    await closing;
    await feed.close(AbortSignal.timeout(PATIENCE_MS));
    await ledger.close();
    await checkTables(this.storage);
  }

  async dispose(): Promise<void> {
    if (this.opened) {
      await this.end();
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The folder of a task's first try. */
  worktree(key: string): string {
    return path.join(this.storage, 'runs', this.run().id, 'worktrees', `${key}-1`);
  }

  start(options: Partial<RunOptions> = {}): Promise<string> {
    return this.squad.runs.start('A story', anyOptions({ approve: ['plan', 'commands', 'writes'], ...options }));
  }

  run(): RunView {
    return Object.values(this.ledger.state.runs)[0]!;
  }

  task(key: string): TaskView | undefined {
    return Object.values(this.run().tasks).find((task) => task.key === key);
  }

  agent(id: string): AgentView | undefined {
    return this.ledger.state.standing.agents[id];
  }

  agents(type: string): AgentView[] {
    return Object.values(this.ledger.state.standing.agents).filter((agent) => agent.type === type);
  }

  of<Type extends EventType>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** Waits for what must come without time passing; with `stepMs` time passes in such steps meanwhile. */
  async until(what: string, holds: () => boolean, stepMs = 0, patienceMs = PATIENCE_MS): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    while (!holds()) {
      if (signal.aborted) {
        throw new Error(
          `It never came: ${what}. Last: ${this.events
            .slice(-8)
            .map(({ type }) => type)
            .join(', ')}`,
        );
      }
      await wait(5);
      if (stepMs > 0) {
        await this.atRest();
        this.clock.advance(stepMs);
      }
    }
  }

  /** Waits while processes and files are at work, which takes a slow machine long; not for ever, as a command may hang. */
  private async atRest(): Promise<void> {
    await this.ledger.flushed();
    for (let quiet = 0, busy = 0; quiet < QUIET_TURNS && busy < MOST_BUSY;) {
      if (process.getActiveResourcesInfo().some((name) => /^(ProcessWrap|FSReq)/.test(name))) {
        quiet = 0;
        busy++;
        await wait(5);
      } else {
        quiet++;
        await nextTurn();
      }
    }
  }

  ended(stepMs = 0): Promise<void> {
    return this.until('the end of the run', () => this.run().phase === 'ended', stepMs);
  }

  private answer({ purpose, conversation }: ModelRequest): ReturnType<Say> {
    if (purpose.taskKey === 'plan') {
      const plan = { summary: 'A story.', strategy: 'parallel', why: 'So that it happens.', tasks: this.tasks };
      return { tool: 'submit_plan', args: plan };
    }
    return this.say({
      key: purpose.taskKey,
      agentId: purpose.agentId,
      answers: conversation.filter(({ role }) => role === 'assistant').length,
      told: conversation.map(({ text }) => text).join('\n'),
    });
  }

  private get now(): NonNullable<LifeBench['opened']> {
    if (!this.opened) {
      throw new Error('The squad is not open.');
    }
    return this.opened;
  }
}

class WrittenModel implements LanguageModel {
  readonly id = 'test/written';
  readonly label = 'Written';
  readonly maxInputTokens = 1_000_000;
  readonly maxOutputTokens = 1_000;
  private readonly answer: (request: ModelRequest) => ReturnType<Say>;

  constructor(answer: (request: ModelRequest) => ReturnType<Say>) {
    this.answer = answer;
  }

  async ask(
    request: ModelRequest,
    _onText: (delta: string) => void,
    signal: AbortSignal,
  ): ReturnType<LanguageModel['ask']> {
    const said = this.answer(request);
    if (said === undefined) {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    }
    const textOf = (args: object | string): string => (typeof args === 'string' ? args : JSON.stringify(args));
    const toolCalls = said === 'prose' ? [] : [{ id: 'call', name: said.tool, argumentsText: textOf(said.args) }];
    return { answer: { text: said === 'prose' ? 'Well.' : '', toolCalls, finishReason: 'tool-calls' } };
  }

  countTokens(text: string): Promise<number> {
    return Promise.resolve(Math.ceil(text.length / 4));
  }
}
