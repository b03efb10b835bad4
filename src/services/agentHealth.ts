/**
 * Listens for signs of life: what agents' models say, what their tools print, what they write into the ledger. It keeps
 * them in memory only and decides nothing; the supervisor asks it, and views show it.
 */
import type { Disposable } from '../base/disposable.ts';
import type { Event } from '../base/emitter.ts';
import { HumanError } from '../domain/errors.ts';
import type { SquadEvent } from '../domain/events.ts';
import type { HealthStatus, HealthWord } from '../domain/health.ts';
import { nothingSpent, sumOf } from '../domain/limits.ts';
import { fingerprintOf, NUDGE_AFTER } from '../domain/progress.ts';
import type { Signal } from '../domain/signals.ts';
import { findTask, type AgentView, type TaskView } from '../domain/squadState.ts';
import { SILENT_IN_TOOL_MS, SILENT_MS, SILENT_WORD_MS } from '../domain/supervision.ts';
import type { Clock, Ledger } from '../ports.ts';

/** What was heard of an agent in this process; times in ms since 1970. */
interface Pulse {
  beatAt: number;
  progressAt: number;
  call?: { kind: 'model' | 'tool'; name: string; since: number };
  /** In the queue for the model. */
  queues: boolean;
  lastAnswer: string;
  repeats: number;
}

export class AgentHealth implements Disposable {
  private readonly ledger: Ledger;
  private readonly clock: Clock;
  private readonly pulses = new Map<string, Pulse>();
  private readonly listening: readonly Disposable[];

  constructor(options: { ledger: Ledger; clock: Clock; onDidSignal: Event<Signal> }) {
    this.ledger = options.ledger;
    this.clock = options.clock;
    this.listening = [
      options.onDidSignal((signal) => {
        const pulse = this.beat(signal.agentId);
        pulse.queues = signal.type === 'call-waits';
      }),
      options.ledger.onDidAppend((event) => {
        this.note(event);
      }),
    ];
  }

  /** Throws a HumanError when there is no such agent. */
  statusOf(agentId: string): HealthStatus {
    const agent = this.ledger.state.standing.agents[agentId];
    if (!agent) {
      throw new HumanError(`There is no agent ${agentId}.`);
    }
    const task = findTask(this.ledger.state, agent.currentTaskId);
    const pulse = this.pulses.get(agentId);
    const { word, since } = this.look(agent, task, pulse);
    return {
      agentId,
      word,
      since: new Date(since).toISOString(),
      ...(pulse ? { lastProgressAt: new Date(pulse.progressAt).toISOString() } : {}),
      ...(pulse?.call ? { currentCall: { ...pulse.call, since: new Date(pulse.call.since).toISOString() } } : {}),
      ...(task ? { taskId: task.id } : {}),
      ...(agent.trouble ? { reason: agent.trouble.reason } : {}),
      restarts: agent.restarts,
      draining: agent.draining,
      spent: sumOf(agent.spent, task?.spent ?? nothingSpent()),
    };
  }

  /** How long the agent may still be silent before it counts as dead, ms; and how long it has been. */
  silenceOf(agentId: string): { leftMs: number; silentMs: number } {
    const pulse = this.pulses.get(agentId) ?? this.beat(agentId);
    const agent = this.ledger.state.standing.agents[agentId];
    const task = findTask(this.ledger.state, agent?.currentTaskId);
    const allowedMs = pulse.call?.kind === 'tool' ? SILENT_IN_TOOL_MS : SILENT_MS;
    const silentMs = this.waits(task, pulse) ? 0 : this.sinceMs(pulse);
    return { leftMs: allowedMs - silentMs, silentMs };
  }

  /** A sign of life, or a new beginning that counts as one. */
  beat(agentId: string): Pulse {
    const now = this.clock.now();
    const pulse = this.pulses.get(agentId) ?? {
      beatAt: now,
      progressAt: now,
      queues: false,
      lastAnswer: '',
      repeats: 0,
    };
    pulse.beatAt = now;
    this.pulses.set(agentId, pulse);
    return pulse;
  }

  dispose(): void {
    for (const each of this.listening) {
      each.dispose();
    }
  }

  private look(
    agent: AgentView,
    task: TaskView | undefined,
    pulse: Pulse | undefined,
  ): { word: HealthWord; since: number } {
    if (agent.status === 'error') {
      return { word: 'error', since: Date.parse(agent.lastActiveAt) };
    }
    if (!task) {
      return { word: 'idle', since: Date.parse(agent.lastActiveAt) };
    }
    if (!pulse || this.waits(task, pulse)) {
      return { word: 'waiting', since: pulse?.beatAt ?? Date.parse(agent.lastActiveAt) };
    }
    if (pulse.repeats >= (pulse.lastAnswer === '' ? NUDGE_AFTER - 1 : NUDGE_AFTER)) {
      return { word: 'stuck', since: pulse.progressAt };
    }
    return this.sinceMs(pulse) >= SILENT_WORD_MS
      ? { word: 'silent', since: pulse.beatAt }
      : { word: 'beating', since: pulse.beatAt };
  }

  /** Silence that is nobody's fault. */
  private waits(task: TaskView | undefined, pulse: Pulse): boolean {
    const run = task && this.ledger.state.runs[task.runId];
    const others = task?.phase === 'waiting_for_person' || task?.phase === 'split';
    return !run || run.paused || run.stopped || others || pulse.queues;
  }

  /** Never negative: a clock may be set back. */
  private sinceMs(pulse: Pulse): number {
    const now = this.clock.now();
    pulse.beatAt = Math.min(pulse.beatAt, now);
    return now - pulse.beatAt;
  }

  private note(event: SquadEvent): void {
    if (event.type === 'agent-destroyed') {
      this.pulses.delete(event.agentId);
      return;
    }
    if (event.type === 'run-resumed' || event.type === 'run-continued') {
      for (const { agentId } of Object.values(this.ledger.state.runs[event.runId ?? '']?.tasks ?? {})) {
        this.beatIfKnown(agentId);
      }
      return;
    }
    const agentId = this.ledger.state.runs[event.runId ?? '']?.tasks[event.taskId ?? '']?.agentId;
    if (agentId === undefined || event.type.startsWith('agent-silent')) {
      return;
    }
    this.listen(this.beat(agentId), event);
  }

  private listen(pulse: Pulse, event: SquadEvent): void {
    switch (event.type) {
      case 'task-delegated':
      case 'agent-restarted':
        Object.assign(pulse, { progressAt: pulse.beatAt, queues: false, lastAnswer: '', repeats: 0 });
        delete pulse.call;
        return;
      case 'model-call-started':
        pulse.call = { kind: 'model', name: event.model, since: pulse.beatAt };
        return;
      case 'tool-call-started':
        pulse.call = { kind: 'tool', name: event.tool, since: pulse.beatAt };
        return;
      case 'model-call-ended': {
        const answer = fingerprintOf(event.answer.toolCalls);
        const same = answer === pulse.lastAnswer;
        pulse.repeats = same ? pulse.repeats + 1 : 1;
        pulse.lastAnswer = answer;
        pulse.progressAt = same ? pulse.progressAt : pulse.beatAt;
        delete pulse.call;
        return;
      }
      case 'conversation-noted':
        if (event.messageId !== undefined) {
          pulse.repeats = 0;
        }
        return;
      case 'model-call-failed':
      case 'tool-call-ended':
        delete pulse.call;
        return;
      default:
        return;
    }
  }

  private beatIfKnown(agentId: string | undefined): void {
    if (agentId !== undefined && this.pulses.has(agentId)) {
      this.beat(agentId);
    }
  }
}
