/**
 * One whole run in simulated time: the real squad over a simulated disk, with a scripted team, a person who answers when it
 * suits them, and faults. Everything that chance decides comes from the seed.
 */
import assert from 'node:assert/strict';
import type { SquadEvent } from '../../../src/domain/events.ts';
import { messageOf, ModelError, type ModelFailureKind } from '../../../src/domain/errors.ts';
import { offersOf } from '../../../src/domain/grants.ts';
import { isUnfinished, type RunOptions } from '../../../src/domain/run.ts';
import type { RunView } from '../../../src/domain/squadState.ts';
import type { LanguageModel, LanguageModels, ModelReply } from '../../../src/ports.ts';
import { createSquad, type Squad } from '../../../src/squad.ts';
import { performTool, type PerformTool } from '../../../src/tools/tool.ts';
import { SeededRandom } from '../seededRandom.ts';
import { checkBoundary, checkEnd } from './invariants.ts';
import { SimulatedFiles, type SimulatedDisk } from './simulatedFiles.ts';
import { SimulatedJournal, SimulatedLedger } from './simulatedLedger.ts';
import { makeTeam, nextAnswer, type SimulatedTeam } from './simulatedTeam.ts';
import { Life, SimulatedTime } from './simulatedTime.ts';
import { permit } from '../guardrails.ts';
import { noServers, noWeb } from '../nowhere.ts';

export interface Faults {
  /** The process is killed right after so many events, counted over all its lives. */
  readonly killAfter: readonly number[];
  /** Chance that a model call, an operation on files or a tool call fails. */
  readonly model: number;
  readonly files: number;
  readonly tools: number;
  /** Chance that what a tool answers is not what it did. */
  readonly lies: number;
}

export interface Simulated {
  readonly seed: number;
  readonly runId: string;
  readonly events: readonly SquadEvent[];
  readonly disk: SimulatedDisk;
  readonly run: RunView;
}

const MOST_STEPS = 60_000;
/** A person who does not come back is no story; one who is slow is. */
const LONGEST_THOUGHT_MS = 120_000;

/** What is not left to the seed. */
export interface Given {
  readonly team?: SimulatedTeam;
  readonly faults?: Faults;
  /** The person is quick, allows everything and leaves the run alone. */
  readonly calm?: boolean;
}

export const NO_FAULTS: Faults = { killAfter: [], model: 0, files: 0, tools: 0, lies: 0 };

/** Runs one simulation to its end. Throws when it does not end or an invariant breaks. */
export async function simulate(seed: number, given: Given = {}): Promise<Simulated> {
  return new Simulation(seed, given).run();
}

class Simulation {
  private readonly seed: number;
  private readonly random: SeededRandom;
  private readonly time: SimulatedTime;
  private readonly faults: Faults;
  private readonly journal = new SimulatedJournal();
  private readonly disks = new Map<string, SimulatedDisk>();
  private readonly world = new Life();
  private readonly team: SimulatedTeam;
  private readonly calm: boolean;
  private readonly performed = new Map<string, number>();
  private kills: number[];
  private boundaries = 0;
  private life = new Life();
  private ledger!: SimulatedLedger;
  private squad!: Squad;
  private runId = '';

  constructor(seed: number, given: Given) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.time = new SimulatedTime(this.random);
    this.team = given.team ?? makeTeam(this.random);
    this.faults = given.faults ?? chooseFaults(this.random);
    this.calm = given.calm ?? false;
    this.kills = [...this.faults.killAfter];
  }

  async run(): Promise<Simulated> {
    this.open();
    void this.squad.runs.start('A simulated objective', this.options()).then((runId) => {
      this.runId = runId;
    });
    this.meddle();
    for (let steps = 0; !this.isOver(); steps++) {
      if (steps >= MOST_STEPS) {
        assert.fail(`no end after ${steps} steps: ${this.describe()}`);
      }
      if (!(await this.time.step())) {
        assert.fail(`nothing is waited for, and the run has not ended: ${this.describe()}`);
      }
    }
    await this.close();
    const run = this.ledger.state.runs[this.runId];
    const disk = this.disks.get(this.runId);
    assert.ok(run && disk);
    const simulated = { seed: this.seed, runId: this.runId, events: this.journal.events, disk, run };
    checkEnd(simulated, this.performed);
    return simulated;
  }

  private open(): void {
    this.life = new Life();
    const { journal, life, time } = this;
    this.ledger = new SimulatedLedger({ journal, life, time });
    this.ledger.onBoundary = (event) => {
      this.boundary(event);
    };
    this.squad = createSquad({
      permit,
      web: noWeb,
      servers: noServers,
      ledger: this.ledger,
      clock: time.clock(life),
      models: this.models(life),
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      files: new SimulatedFiles({ time, disks: this.disks, mayFail: this.mayFail.bind(this) }, life),
      perform: this.perform(life),
    });
    void this.squad.runs.open();
    this.ledger.onDidAppend((event) => {
      if (event.type === 'request-opened') {
        this.think(event.request.id);
      }
    });
  }

  /** The next host: it takes up what was interrupted, and the person finds the requests that were open. */
  private restart(): void {
    this.open();
    const run = Object.values(this.ledger.state.runs)[0];
    if (!run) {
      void this.squad.runs.start('A simulated objective', this.options()).then((runId) => {
        this.runId = runId;
      });
      return;
    }
    this.runId = run.id;
    this.squad.runs.resumeInterrupted();
    if (run.stopped) {
      this.takeUpLater();
    }
    if (run.paused) {
      this.goOnLater();
    }
    for (const request of Object.values(run.requests).filter(({ answer }) => !answer)) {
      this.think(request.id);
    }
  }

  private boundary(event: SquadEvent): void {
    this.boundaries++;
    checkBoundary(this.ledger.state, event);
    const next = this.kills[0];
    if (next !== undefined && this.boundaries >= next) {
      this.kills.shift();
      this.ledger.crash(this.random);
      this.time.schedule(this.random.between(100, 20_000), this.world, () => {
        this.restart();
      });
    }
  }

  private isOver(): boolean {
    const run = this.ledger.state.runs[this.runId];
    return run !== undefined && !isUnfinished(run) && this.journal.acknowledged === this.ledger.state.sequence;
  }

  private async close(): Promise<void> {
    const state = { closed: false };
    void this.squad.close().then(() => (state.closed = true));
    for (let steps = 0; !state.closed; steps++) {
      assert.ok(steps < 1000 && (await this.time.step()), 'the squad does not close');
    }
    this.ledger.close();
    // What is written already may still be told; nothing else may be under way.
    for (const end = this.time.now + 100; this.time.waitingIn(this.life) > 0 && this.time.now < end;) {
      await this.time.step();
    }
    assert.equal(this.time.waitingIn(this.life), 0, 'something is still waited for after the close');
  }

  private options(): RunOptions {
    const { random } = this;
    return {
      model: { door: 'rehearsal' },
      ...(random.chance(0.3) ? { fallback: { door: 'rehearsal' as const, name: 'second' } } : {}),
      ...(this.seed % 4 === 1 ? { roleModels: { testing: { door: 'rehearsal' as const, name: 'third' } } } : {}),
      ...(this.seed % 5 === 2 ? { requestMinutes: 1 } : {}),
      maxAgents: random.between(1, 4),
      budget: !this.calm && random.chance(0.1) ? { tokens: random.between(20_000, 200_000) } : {},
      ...(this.calm ? {} : this.spending()),
      approve: (['plan', 'commands', 'writes'] as const).filter(() => this.calm || random.chance(0.6)),
      atEnd: { kind: 'keep' },
    };
  }

  /** Money and the budgets of roles, agents and days, now and then, with chance of their own: other seeds tell what they told before. */
  private spending(): Partial<RunOptions> {
    const random = new SeededRandom(this.seed ^ 0x0b0d6e7);
    const limits = () => ({
      ...(random.chance(0.4) ? { usd: random.between(20, 800) / 1000 } : {}),
      ...(random.chance(0.4) ? { tokens: random.between(20_000, 200_000) } : {}),
      ...(random.chance(0.2) ? { requests: random.between(3, 40) } : {}),
      ...(random.chance(0.1) ? { wallTimeMs: random.between(20_000, 200_000) } : {}),
      ...(random.chance(0.1) ? { toolTimeMs: random.between(50, 1000) } : {}),
    });
    if (!random.chance(0.3)) {
      return {};
    }
    const keys = ['role', 'role.coding', 'agent', 'day'].filter(() => random.chance(0.4));
    return {
      prices: [{ model: 'simulated', input: 2, output: 8 }],
      ...(random.chance(0.5) ? { budget: limits() } : {}),
      envelopes: Object.fromEntries(keys.map((key) => [key, limits()])),
      ...(random.chance(0.6) ? { asksToRaise: true as const } : {}),
    };
  }

  private models(life: Life): LanguageModels {
    const clock = this.time.clock(life);
    const model: LanguageModel = {
      id: 'simulated',
      label: 'Simulated',
      maxInputTokens: 100_000,
      maxOutputTokens: 4000,
      countTokens: (text) => Promise.resolve(Math.ceil(text.length / 4)),
      ask: async (request, onText, signal): Promise<ModelReply> => {
        await clock.sleep(this.random.next() * 3000, signal);
        if (this.random.chance(this.faults.model)) {
          throw new ModelError(this.random.pick(MODEL_FAILURES) ?? 'server', 'The provider has trouble.');
        }
        const calls = nextAnswer(this.team, request.purpose.taskKey, request.conversation);
        onText('…');
        await clock.sleep(this.random.next() * 500, signal);
        return {
          answer: {
            text: '',
            toolCalls: calls.map(({ name, arguments: args }, index) => ({
              id: `call-${index}`,
              name,
              argumentsText: typeof args === 'string' ? args : JSON.stringify(args),
            })),
            finishReason: 'tool-calls',
          },
          usage: { inputTokens: request.conversation.length * 50, outputTokens: 40 },
        };
      },
    };
    return { select: () => Promise.resolve(model) };
  }

  private perform(life: Life): PerformTool {
    return async (tool, input, context, signal) => {
      if (life.over) {
        return new Promise<never>(() => undefined);
      }
      if (tool.afterCrash === 'report') {
        const key = `${context.taskId}.${context.attempt}.${context.step}`;
        this.performed.set(key, (this.performed.get(key) ?? 0) + 1);
      }
      if (tool.effect !== 'team' && this.random.chance(this.faults.tools)) {
        throw new Error('EIO: input/output error');
      }
      const result = await performTool(tool, input, context, signal);
      return tool.effect !== 'team' && this.random.chance(this.faults.lies)
        ? { ...result, text: `\u0000garbage ${this.random.next()}` }
        : result;
    };
  }

  private mayFail(operation: string): void {
    if (operation !== 'seed' && operation !== 'stand' && this.random.chance(this.faults.files)) {
      throw new Error(`${operation}: EIO`);
    }
  }

  /** The person reads a request for a while and answers it, if it still waits then. */
  private think(requestId: string): void {
    this.time.schedule(this.random.next() * LONGEST_THOUGHT_MS, this.world, () => {
      const run = this.ledger.state.runs[this.runId];
      const request = run?.requests[requestId];
      if (!request || request.answer || !this.ledger.isOpen) {
        return;
      }
      const offers = offersOf(request);
      const grant = this.random.chance(0.3) ? this.random.pick(offers) : undefined;
      const allow = { kind: 'allow' as const, ...(grant ? { grant } : {}) };
      const text = { kind: 'text' as const, text: 'Do as you think best.' };
      const answer =
        request.subject.kind === 'question'
          ? text
          : this.calm || this.random.chance(0.8)
            ? allow
            : { kind: 'deny' as const };
      const seen = request.subject.kind === 'plan' && run.planRevision > 2 ? allow : answer;
      // A kill may come between an answer and those that it brings along.
      const answering = async (): Promise<void> => this.squad.inbox.answer(requestId, seen, 'terminal');
      answering().catch((error: unknown) => {
        assert.ok(!this.ledger.isOpen, messageOf(error));
      });
    });
  }

  /** Now and then the person pauses or stops the run and lets it go on later. */
  private meddle(): void {
    if (this.calm) {
      return;
    }
    if (this.random.chance(0.3)) {
      this.later(60_000, () => {
        void this.squad.runs.pause(this.runId).catch(() => undefined);
        this.goOnLater();
      });
    }
    if (this.random.chance(0.2)) {
      this.later(60_000, () => {
        void this.squad.runs.stopAll('terminal').catch(() => undefined);
        this.takeUpLater();
      });
    }
  }

  private goOnLater(): void {
    this.later(30_000, () => {
      if (this.unfinished()?.paused) {
        void this.squad.runs.resume(this.runId, 'terminal').catch(() => undefined);
      }
    });
  }

  private takeUpLater(): void {
    this.later(30_000, () => {
      if (this.unfinished()?.stopped) {
        void this.squad.runs.resume(this.runId, 'terminal').catch(() => undefined);
      }
    });
  }

  private later(mostMs: number, act: () => void): void {
    this.time.schedule(this.random.next() * mostMs, this.world, () => {
      if (this.ledger.isOpen && this.unfinished()) {
        act();
      }
    });
  }

  private unfinished(): RunView | undefined {
    const run = this.ledger.state.runs[this.runId];
    return run && isUnfinished(run) ? run : undefined;
  }

  private describe(): string {
    const run = this.ledger.state.runs[this.runId];
    const tasks = Object.values(run?.tasks ?? {}).map(({ key, phase, attempt }) => `${key} ${phase} ${attempt}`);
    const newest = this.journal.events.slice(-5).map(({ type, taskId }) => `${type} ${taskId ?? ''}`);
    return `${run?.phase ?? 'no run'}, ${tasks.join(', ')}; newest: ${newest.join(', ')}`;
  }
}

const MODEL_FAILURES: readonly ModelFailureKind[] = [
  'unreachable',
  'rate-limit',
  'server',
  'stalled',
  'timeout',
  'malformed',
  'authentication',
  'refused',
];

function chooseFaults(random: SeededRandom): Faults {
  const some = (most: number): number => (random.chance(0.3) ? random.next() * most : 0);
  const killAfter: number[] = [];
  for (let kills = random.between(0, 4), last = 0; kills > 0; kills--) {
    killAfter.push((last += random.between(1, 120)));
  }
  return { killAfter, model: some(0.15), files: some(0.05), tools: some(0.1), lies: some(0.1) };
}
